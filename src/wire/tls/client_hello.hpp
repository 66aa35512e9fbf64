// The first message of a TLS client (RFC 8446 section 4.1.2), read for the name it asks for, never answered: what a
// gateway must know to pass the connection on unopened.
//
// The message may come in any number of records and segments. Everything is read from the start each time, out of bytes
// that stay in the socket's queue, so that the one who is passed the connection sees all of them.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::tls {

inline constexpr std::size_t max_client_hello = std::size_t{16} * 1024;  // bytes of the message

enum class HelloError : std::uint8_t {
    not_tls,  // the first bytes are no TLS record
    not_hello,  // a record, but not of a handshake that begins with a ClientHello
    malformed,
    too_large,
};

inline constexpr std::size_t max_protocols = 16;  // that are kept; further ones are passed over

/// A phrase for people, in lower case, without a period.
std::string_view text(HelloError error);

struct ClientHello {
    std::string server_name;  // server_name of RFC 6066 section 3, lower-cased; empty: none was sent
    std::vector<std::string> protocols = {};  // of ALPN (RFC 7301 section 3.1), at most max_protocols of them
    std::uint16_t highest_version = 0;  // that it offers, 0x0303 for TLS 1.2 (RFC 8446 section 4.2.1)
};

struct HelloResult {
    enum class State : std::uint8_t { need_more, complete, refused };

    State state = State::need_more;
    HelloError error = HelloError::not_tls;  // where refused
};

/// @param bytes  what the client has sent so far.
/// @param hello  filled where the answer is complete.
HelloResult read_client_hello(Bytes bytes, ClientHello& hello);

}  // namespace sallyport::tls
