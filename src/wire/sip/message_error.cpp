// The words and the statuses for what is wrong with a head.
#include "wire/sip/message.hpp"

#include <iterator>
#include <utility>

namespace sallyport::sip {

namespace {

struct ErrorRow {
    MessageError error;
    std::string_view text;
    std::uint16_t status = 400;
};

constexpr ErrorRow rows[] = {
    {MessageError::tls_hello, "TLS where plain SIP is spoken"},
    {MessageError::bad_method, "the method is not a token"},
    {MessageError::bad_request_uri, "the Request-URI is not a URI between single blanks"},
    {MessageError::bad_version, "the first line has no valid SIP version"},
    {MessageError::unsupported_version, "the version is not SIP/2.0", 505},
    {MessageError::bad_status, "the status is not a number from 100 to 699"},
    {MessageError::start_line_too_long, "a first line of more than 4 KiB", 414},
    {MessageError::bare_cr, "a carriage return without a line feed"},
    {MessageError::bare_lf, "a line feed without a carriage return"},
    {MessageError::nul_byte, "a NUL byte"},
    {MessageError::control_character, "a control character in a value"},
    {MessageError::blank_fold, "a line of blanks alone"},
    {MessageError::stray_fold, "a folded line with no field before it"},
    {MessageError::bad_name, "a field name that is not a token, or no colon behind it"},
    {MessageError::too_many_fields, "too many fields", 513},
    {MessageError::head_too_large, "a head of more than 16 KiB", 513},
    {MessageError::bad_length, "the Content-Length is not a number"},
    {MessageError::several_lengths, "Content-Lengths that differ"},
    {MessageError::missing_length, "a Content-Type without a Content-Length"},
    {MessageError::body_too_large, "a body of more than 16 MiB", 413},
    {MessageError::bad_cseq, "the CSeq is not a number and the method of the request"},
    {MessageError::repeated_field, "more than one To, Call-ID or CSeq"},
};

// The table is read by index: its rows stand in the order of the enumerators, none left out.
constexpr bool in_order() {
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        if (std::to_underlying(rows[i].error) != i) return false;
    }
    return rows[std::size(rows) - 1].error == MessageError::repeated_field;
}
static_assert(in_order());

}  // namespace

std::string_view text(MessageError error) { return rows[std::to_underlying(error)].text; }
std::uint16_t status_for(MessageError error) { return rows[std::to_underlying(error)].status; }

}  // namespace sallyport::sip
