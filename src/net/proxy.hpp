// Through a proxy on the way out: HTTP CONNECT (RFC 9110 section 9.3.6) or SOCKS5 (RFC 1928, RFC 1929).
//
// The bytes of both are written and read by pure functions; connect_through() carries them.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "config/config.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <string>
#include <variant>

namespace sallyport::net {

/// Where to, by name or by address: a proxy whose rules know addresses wants those.
struct ProxyTarget {
    std::variant<std::string, IpAddress> host;
    std::uint16_t port = 0;

    /// "7-courier.push.apple.com:5223", "[2001:db8::1]:443"
    std::string to_string() const;
};

/// The request of CONNECT, with Basic credentials where the URL has a user.
std::string connect_request(const config::ProxyUrl& proxy, const ProxyTarget& target);

/// A step of SOCKS5: what is said, and how the answer is told.
std::string socks5_greeting(const config::ProxyUrl& proxy);
std::string socks5_login(const config::ProxyUrl& proxy);
std::string socks5_request(const ProxyTarget& target);

/// What a proxy has answered so far.
struct ProxyAnswer {
    enum class State : std::uint8_t { need_more, good, refused };
    State state = State::need_more;
    std::size_t length = 0;   // octets of the answer, where good
    std::string detail = {};  // for people, where refused
};

/// The head of an answer to CONNECT, at most 16 KiB. A 2xx is good; what follows its head is the target's.
ProxyAnswer read_connect_answer(Bytes bytes);
/// The method that was chosen. Good with length 2; `wants_login` says whether user and password come next.
ProxyAnswer read_socks5_method(Bytes bytes, bool& wants_login);
ProxyAnswer read_socks5_login(Bytes bytes);
ProxyAnswer read_socks5_reply(Bytes bytes);

/// Opens a way through the proxy that `stream` is connected to. Empty: it is open, and the next bytes are the target's.
/// Otherwise why not, for people. Nothing of what the target says is taken from the stream.
io::Task<std::string> open_through(io::Stream& stream, const config::ProxyUrl& proxy, ProxyTarget target,
                                   io::Deadline deadline);

}  // namespace sallyport::net
