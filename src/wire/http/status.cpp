#include "wire/http/status.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::http {

namespace {

struct Phrase {
    unsigned status;
    std::string_view text;
};

constexpr Phrase phrases[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

}  // namespace

std::string_view reason_phrase(unsigned status) {
    const auto* at = std::ranges::find(phrases, status, &Phrase::status);
    return at == std::end(phrases) ? std::string_view() : at->text;
}

std::uint16_t status_for(HeadError error) {
    switch (error) {
        case HeadError::too_many_fields: return 431;
        case HeadError::unsupported_version:
        case HeadError::http2_preface: return 505;
        default: return 400;
    }
}

}  // namespace sallyport::http
