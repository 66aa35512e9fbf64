// Heads of HTTP/1.0 and HTTP/1.1 messages (RFC 9112), read strictly, sans-io: bytes in, views out, no allocation.
//
// Strict because a gateway that reads a message in another way than its target does can be made to smuggle: what RFC
// 9112 lets a recipient repair is refused here, each class of it with an error of its own.
#pragma once

#include "base/bytes.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/fields.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::http {

/// Why a head is refused.
enum class HeadError : std::uint8_t {
    blank_lines,  // more than the few that RFC 9112 section 2.2 lets pass
    tls_hello,  // the client speaks TLS
    http2_preface,  // RFC 9113 section 3.4
    proxy_header,  // of the PROXY protocol, where none is expected
    bad_method,  // not a token, or longer than max_method
    connect,  // CONNECT: no forward proxy here
    bad_target,  // none of the forms of RFC 9112 section 3.2 that fit the method
    bad_version,  // not HTTP/d.d
    unsupported_version,  // neither HTTP/1.0 nor HTTP/1.1
    bad_status,  // not 100 to 599
    bare_cr,
    bare_lf,
    nul_byte,
    control_character,
    obs_fold,  // a line that begins with a blank
    space_before_colon,  // RFC 9112 section 5.1
    empty_name,
    bad_name,  // not a token, or no colon
    too_many_fields,
    missing_host,
    several_hosts,
    bad_host,
    several_lengths,
    bad_length,
    length_and_encoding,
    bad_encoding,  // anything but one Transfer-Encoding of exactly "chunked"
    encoding_on_1_0,  // RFC 9112 section 6.1
};

/// A phrase for people, in lower case, without a period.
std::string_view text(HeadError error);

struct HeadResult {
    enum class State : std::uint8_t { need_more, complete, refused };

    State state = State::need_more;
    std::size_t length = 0;  // bytes of the head with its blank line; where complete
    HeadError error = HeadError::blank_lines;  // where refused

    bool need_more() const { return state == State::need_more; }
    bool complete() const { return state == State::complete; }
    bool refused() const { return state == State::refused; }
};

enum class Method : std::uint8_t { get, head, post, put, del, options, patch, trace, connect, other };

inline constexpr std::size_t max_method = 32;  // bytes; the longest registered one has 17

/// How the end of a body is found (RFC 9112 section 6.3).
struct Framing {
    enum class Kind : std::uint8_t { none, length, chunked, until_close };

    Kind kind = Kind::none;
    std::uint64_t length = 0;  // bytes, below 2^63

    static constexpr Framing none() { return {}; }
    static constexpr Framing of_length(std::uint64_t length) { return {Kind::length, length}; }
    static constexpr Framing chunked() { return {Kind::chunked, 0}; }
    static constexpr Framing until_close() { return {Kind::until_close, 0}; }

    bool operator==(const Framing&) const = default;
};

enum class TargetForm : std::uint8_t { origin, absolute, asterisk };

/// What the head of a request says, beside its fields.
struct RequestFacts {
    Method method = Method::other;
    TargetForm form = TargetForm::origin;
    std::uint8_t minor_version = 1;  // HTTP/1.0 or HTTP/1.1
    bool has_query = false;
    bool keep_alive = false;  // by version and Connection (RFC 9112 section 9.3)
    bool expect_continue = false;  // never on HTTP/1.0
    bool wants_websocket = false;  // RFC 6455 section 4.1
    bool connection_lists = false;  // Connection names something besides close, keep-alive and upgrade
    bool binds_connection = false;  // authenticates the connection, not the request: NTLM, Negotiate (RFC 4559)
    std::string_view method_text;  // as received
    std::string_view target;  // as received
    std::string_view path;  // before '?'; "/" for an absolute form without one, "*" for OPTIONS on the server
    std::string_view query;  // behind '?'
    Authority authority;  // the absolute form's, else Host's; empty on HTTP/1.0 without either
    Framing framing;  // none, length or chunked
};

struct RequestHead : RequestFacts {
    FieldList fields;
};

/// What the head of a response says, beside its fields.
struct ResponseFacts {
    std::uint16_t status = 0;  // 100 to 599
    std::uint8_t minor_version = 1;
    bool keep_alive = false;  // false too where the body ends with the connection
    bool switches_to_websocket = false;  // a 101 that says so
    bool connection_lists = false;  // Connection names something besides close, keep-alive and upgrade
    bool binds_connection = false;  // asks for authentication of the connection: NTLM, Negotiate (RFC 4559)
    std::string_view reason;  // may be empty
    std::optional<std::uint64_t> length;  // Content-Length, also where no body follows: answers to HEAD, 304
    Framing framing;  // of what follows on the wire

    bool interim() const { return status < 200 && status != 101; }
};

struct ResponseHead : ResponseFacts {
    FieldList fields;
};

/// Reads the head of a request from the front of `bytes`.
///
/// Called again from the start when more bytes have come: every prefix of a valid head answers need_more. The caller
/// bounds the head (16 KiB, say) and what is read again: cost is linear in the head for each call.
///
/// @param bytes  what has arrived so far, perhaps with the body and further requests behind the head.
/// @param head   filled where the answer is complete; its views point into `bytes`.
HeadResult parse_request(Bytes bytes, RequestHead& head);

/// Reads the head of a response from the front of `bytes`, like parse_request.
/// @param asked  the method of the request: an answer to HEAD has no body.
HeadResult parse_response(Bytes bytes, Method asked, ResponseHead& head);

}  // namespace sallyport::http
