// The words for what is wrong with a head.
#include "wire/http/head.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::http {

namespace {

struct ErrorText {
    HeadError error;
    std::string_view text;
};

constexpr ErrorText texts[] = {
    {HeadError::blank_lines, "too many empty lines before the first line"},
    {HeadError::tls_hello, "TLS where plain HTTP is spoken"},
    {HeadError::http2_preface, "HTTP/2 without having been asked for it"},
    {HeadError::proxy_header, proxy::unexpected},
    {HeadError::bad_method, "the method is not a token"},
    {HeadError::connect, "CONNECT is not served"},
    {HeadError::bad_target, "the request target has none of the valid forms"},
    {HeadError::bad_version, "the first line has no valid HTTP version"},
    {HeadError::unsupported_version, "the version is neither HTTP/1.0 nor HTTP/1.1"},
    {HeadError::bad_status, "the status is not a number from 100 to 599"},
    {HeadError::bare_cr, "a carriage return without a line feed"},
    {HeadError::bare_lf, "a line feed without a carriage return"},
    {HeadError::nul_byte, "a NUL byte"},
    {HeadError::control_character, "a control character in a value"},
    {HeadError::obs_fold, "a line that begins with a blank"},
    {HeadError::space_before_colon, "a blank between a field's name and its colon"},
    {HeadError::empty_name, "a field without a name"},
    {HeadError::bad_name, "a field name that is not a token, or no colon behind it"},
    {HeadError::too_many_fields, "too many fields"},
    {HeadError::missing_host, "no Host field"},
    {HeadError::several_hosts, "more than one Host field"},
    {HeadError::bad_host, "the host is not a valid name or address"},
    {HeadError::several_lengths, "more than one Content-Length"},
    {HeadError::bad_length, "the Content-Length is not a number in range"},
    {HeadError::length_and_encoding, "both Content-Length and Transfer-Encoding"},
    {HeadError::bad_encoding, "a Transfer-Encoding other than exactly chunked"},
    {HeadError::encoding_on_1_0, "a Transfer-Encoding in an HTTP/1.0 message"},
};

// The table is read by index: its rows stand in the order of the enumerators, none left out.
constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(texts); ++i) {
        if (std::to_underlying(texts[i].error) != i) return false;
    }
    return texts[std::size(texts) - 1].error == HeadError::encoding_on_1_0;
}
static_assert(in_order());

}  // namespace

std::string_view text(HeadError error) { return texts[std::to_underlying(error)].text; }

}  // namespace sallyport::http
