// What the TURN server asks of the world outside: sockets, sending, telling. The server itself knows no socket and no
// clock; a test is an outlet too.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"
#include "telemetry/reason.hpp"
#include "turn/peer_connection.hpp"
#include "wire/stun/message.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace sallyport::turn {

enum class Transport : std::uint8_t { udp, tcp, tls, dtls };
constexpr bool is_stream(Transport transport) { return transport == Transport::tcp || transport == Transport::tls; }

/// Where a client is, as seen from here: what RFC 8656 calls the 5-tuple.
struct Link {
    SocketAddress client;
    SocketAddress local;       // what the client sent to
    std::uint32_t number = 0;  // of the socket, or of the connection; the outlet's own, from 1
    Transport transport = Transport::udp;

    bool operator==(const Link&) const = default;
};

struct LinkHash {
    std::size_t operator()(const Link& link) const noexcept {
        return std::hash<IpAddress>{}(link.client.ip) ^
               (std::size_t{link.client.port} << 16 ^ link.number) * 0x9E3779B97F4A7C15ULL;
    }
};

/// One relay of one allocation: its place in the table, and which family.
struct RelayId {
    std::uint32_t allocation = 0;
    bool is_v6 = false;

    bool operator==(const RelayId&) const = default;
};

/// What goes to a client. `head` lives for the call alone; `body` as long as what the server was given to handle.
struct Packet {
    Bytes head;
    Bytes body = {};
    std::size_t padding = 0;  // zeros behind the body
    bool may_be_lost = false;  // it is no answer, but what the network brought
};

/// A Binding over UDP whose answer waits for what the kernel's NAT makes of its client.
struct HeldBinding {
    Link link;
    stun::TransactionId transaction{};
    std::uint32_t cookie = stun::magic_cookie;
    bool has_fingerprint = false;
};

/// What an ICMP message said of data that a relay had sent (RFC 8656 section 18.13).
struct Icmp {
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t data = 0;  // the next hop's MTU, where it was too long
};

/// How an allocation, or a request for one, ended.
struct Story {
    const Link& link;
    std::string_view user;
    telemetry::Reason reason;
    std::string_view detail;
    SocketAddress relay = {};  // as its client knows it; unspecified: there was none
    std::uint64_t bytes_in = 0;  // from the client
    std::uint64_t bytes_out = 0;  // to the client
    Duration lasted{};
};

class Outlet {
public:
    virtual ~Outlet() = default;

    /// A UDP socket of the server's own, bound to this address. The error is errno.
    virtual std::expected<int, int> open_relay(const SocketAddress& own) = 0;
    /// From now on what the socket receives goes to Server::from_peer(). False: it can't be watched, and is closed.
    virtual bool start_relay(RelayId id, int socket) = 0;
    /// Closes it, started or not; and a connection with a peer that waits.
    virtual void close_relay(int socket) = 0;

    /// The same for TCP (RFC 6062): a listening socket; what it accepts goes to Server::accepted().
    virtual std::expected<int, int> open_tcp_relay(const SocketAddress& own) = 0;
    virtual bool start_tcp_relay(RelayId id, int socket) = 0;
    /// Dials a peer from the relay's own address. What becomes of it goes to Server::connected().
    virtual void connect(const PeerConnectionHandle& connection, RelayId id, const SocketAddress& own,
                         const SocketAddress& peer) = 0;
    /// From now on this client's stream and the peer's socket, which is the outlet's now, carry each other's bytes.
    virtual void carry(const Link& link, const PeerConnectionHandle& connection, int socket) = 0;

    /// Asks the kernel for what it maps this client's address to; that goes to Server::answer_held(). False: too many
    /// are being asked for.
    virtual bool look_up(const HeldBinding& held) = 0;
    /// The number of the UDP socket that clients reach at this address; 0: there is none.
    virtual std::uint32_t number_at(const SocketAddress& own) = 0;
    virtual void to_client(const Link& link, const Packet& packet) = 0;
    /// @param socket  a started one
    virtual void to_peer(int socket, const SocketAddress& peer, Bytes data, bool dont_fragment) = 0;

    /// Is it an address of this machine now? Interfaces get others while a gateway runs.
    virtual bool is_own(const IpAddress& address) = 0;
    /// An allocation began; tell() says how it ended.
    virtual void began() = 0;
    /// Data that was relayed: bytes from clients, and to them.
    virtual void passed(std::size_t in, std::size_t out) = 0;
    /// May this client not begin anything?
    virtual bool is_banned(const IpAddress& client) = 0;
    /// An allocation ended, or was refused for a reason that an administrator should know.
    virtual void tell(const Story& story) = 0;
    /// The client used wrong credentials.
    virtual void suspect(const Link& link) = 0;
};

}  // namespace sallyport::turn
