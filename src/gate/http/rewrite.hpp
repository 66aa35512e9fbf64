// Heads as they leave for the other side: nothing of one connection passes to the other, framing and Host are written
// anew, and who asked is said by us (RFC 9110 section 7.6, RFC 7239).
#pragma once

#include "base/bytes.hpp"
#include "wire/http/head.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::gate::http {

struct ExtraField {
    std::string_view name;  // a token
    std::string_view value;  // text without line ends
};

/// What the gateway adds to a request.
struct Forwarding {
    std::string_view client = {};  // the client's address in text, IPv6 without brackets
    std::string_view node = {};  // our pseudonym in Via: a token (RFC 9110 section 7.6.3)
    std::string_view host = {};  // for the target's Host field; empty: the name that the client asked for
    bool tls = false;  // how the client came
    bool peer_is_trusted = false;  // its own word on who asked is kept, and ours appended
    bool keep_expect = false;  // pass Expect: 100-continue on; else the caller answers it
    std::span<const ExtraField> extra = {};
};

/// Bytes that the written head of a request or response can take beyond the received one, without `extra`.
inline constexpr std::size_t rewrite_growth = 2048;

/// Writes the head of a request for a target, as HTTP/1.1 in origin form; the body follows in head.framing.
///
/// Upgrade passes for WebSocket only. Not passed: hop-by-hop fields and those that Connection names, and, unless the
/// peer is trusted, Forwarded, X-Forwarded-*, X-Real-IP and their like; spellings of such names with '_' never.
/// Connection has no say over the fields that we write. Ask out.ok() afterwards.
void write_request_head(ByteWriter& out, const sallyport::http::RequestHead& head, const Forwarding& forwarding);

/// What the gateway decides about a response.
struct Reply {
    sallyport::http::Framing framing;  // how the body goes to the client: chunked only to HTTP/1.1
    std::string_view node = {};  // as in Forwarding
    std::uint8_t client_minor = 1;  // the client speaks HTTP/1.0 or HTTP/1.1
    bool keep_alive = true;  // towards the client; false where framing is until_close
};

/// Writes the head of a response, interim ones (1xx) too, for a client. A Content-Length that announces no body (an
/// answer to HEAD, 304) is kept. Ask out.ok() afterwards.
void write_response_head(ByteWriter& out, const sallyport::http::ResponseHead& head, const Reply& reply);

}  // namespace sallyport::gate::http
