// Heads of SIP messages on TCP and TLS (RFC 3261 sections 7 and 18.3), read strictly, sans-io: bytes in, views out, no
// allocation.
//
// Strict where readers could differ on where a message ends or whom it is from; what the grammar allows beyond HTTP
// (folded lines, blanks before a colon, compact names) is read, for real senders use it.
#pragma once

#include "base/bytes.hpp"
#include "wire/sip/fields.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sip {

inline constexpr std::size_t max_head = std::size_t{16} * 1024;  // bytes, from the start-line to the empty line
inline constexpr std::size_t max_start_line = 4096;  // bytes without its line end
inline constexpr std::size_t max_method = 64;  // bytes; the longest registered one has 9
inline constexpr std::uint64_t max_body = std::uint64_t{16} << 20;  // bytes; bodies stream by, but none is larger

/// Two line ends before a start-line ask for one back (RFC 5626 section 3.5.1).
inline constexpr std::string_view ping = "\r\n\r\n";
inline constexpr std::string_view pong = "\r\n";

/// Why a head is refused.
enum class MessageError : std::uint8_t {
    tls_hello,  // the peer speaks TLS
    bad_method,  // not a token, or longer than max_method
    bad_request_uri,  // no URI, or anything but one blank before it
    bad_version,  // the start-line does not say SIP/d.d where it must
    unsupported_version,  // not SIP/2.0
    bad_status,  // not 100 to 699
    start_line_too_long,
    bare_cr,
    bare_lf,
    nul_byte,
    control_character,
    blank_fold,  // a line of blanks alone: a fold to some readers, the end of the head to others
    stray_fold,  // the first line behind the start-line begins with a blank
    bad_name,  // a field without a name, with one that is not a token, or without a colon
    too_many_fields,
    head_too_large,
    bad_length,  // a Content-Length that is no number
    several_lengths,  // Content-Lengths that differ
    missing_length,  // a Content-Type says that a body follows, and no Content-Length where it ends
    body_too_large,  // more than max_body
    bad_cseq,  // of a request: not a number below 2^31 and the request's own method
    repeated_field,  // of a request: more than one To, Call-ID or CSeq
};

/// A phrase for people, in lower case, without a period.
std::string_view text(MessageError error);

/// The status that a request with this error deserves: 505, 513, 414 or 413 (RFC 3261 section 21), else 400.
std::uint16_t status_for(MessageError error);

/// What the head of a message says, beside its fields.
struct MessageFacts {
    enum class Kind : std::uint8_t { unknown, request, response };

    Kind kind = Kind::unknown;  // stays so until the start-line has said SIP
    std::uint16_t status = 0;  // of a response, 100 to 699
    std::string_view method;  // of a request; case matters (RFC 3261 section 7.1)
    std::string_view request_uri;  // of a request, as received; only its characters and scheme are checked
    std::string_view reason;  // of a response; may be empty
    std::uint64_t body_length = 0;  // bytes behind the head

    bool is_request() const { return kind == Kind::request; }
    bool is_response() const { return kind == Kind::response; }
};

/// Views into the bytes that were parsed.
struct Message : MessageFacts {
    FieldList fields;
};

struct MessageResult {
    enum class State : std::uint8_t { need_more, complete, refused };

    State state = State::need_more;
    /// Bytes of whole CRLFs before the start-line: those that came so far, whatever the state. Each `ping` among them
    /// is answered with a `pong`, and may be taken off the front.
    std::size_t leading = 0;
    std::size_t length = 0;  // bytes of the head with its empty line and what leads; where complete
    MessageError error = MessageError::bad_method;  // where refused

    bool need_more() const { return state == State::need_more; }
    bool complete() const { return state == State::complete; }
    bool refused() const { return state == State::refused; }
};

/// Reads the head of a request or response from the front of `bytes`.
///
/// Called again from the start when more bytes have come: every prefix of a valid head answers need_more. A head of
/// more than max_head bytes is refused as soon as that many have come.
///
/// RFC 3261 section 18.3 requires Content-Length on streams, and real peers leave it away where nothing follows:
/// without it the body is empty, unless a Content-Type announces one.
///
/// @param bytes    what has arrived so far, perhaps with the body and further messages behind the head.
/// @param message  filled where the answer is complete. Where it is refused, it holds what was read before the error,
/// for
///                 an answer to be made of it.
MessageResult parse_message(Bytes bytes, Message& message);

struct CSeq {
    std::uint32_t number = 0;  // below 2^31 (RFC 3261 section 8.1.1.5)
    std::string_view method;
};

/// Reads the value of a CSeq field (RFC 3261 section 20.16).
std::optional<CSeq> parse_cseq(std::string_view value);

/// The branch of the topmost Via (RFC 3261 section 8.1.1.7); empty where there is none.
std::string_view top_branch(const Message& message);

}  // namespace sallyport::sip
