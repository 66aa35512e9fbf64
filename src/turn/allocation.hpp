// One allocation (RFC 8656 section 3.2): who holds it, its relays, whom it may reach. Made for many: the first
// permission and the first channel lie in the record itself, times are whole seconds, and no timer stands behind any.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "turn/integrity.hpp"
#include "turn/outlet.hpp"
#include "turn/peer_connection.hpp"
#include "turn/quotas.hpp"
#include "wire/stun/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sallyport::turn {

/// Seconds since the server's start.
using Seconds = std::uint32_t;

inline constexpr Seconds default_lifetime = 600;     // RFC 8656 section 3.2
inline constexpr Seconds permission_lifetime = 300;  // section 9
inline constexpr Seconds channel_lifetime = 600;     // section 12
inline constexpr Seconds channel_rest = 300;         // then number and peer stay tied (section 12)
inline constexpr std::size_t most_permissions = 64;  // of one allocation
inline constexpr std::size_t most_channels = 32;
inline constexpr Seconds peer_connection_patience = 30;   // RFC 6062 section 5.2: until its client takes it over
inline constexpr std::size_t most_peer_connections = 32;  // of one allocation

/// What was found of a peer's address when it was permitted.
struct PeerKind {
    bool is_own = false;       // an address of this node: perhaps another allocation's relay
    bool relays_only = false;  // and nothing else there may be reached
};

struct Permission {
    IpAddress peer;  // as the client knows it, without a port (section 9)
    Seconds until = 0;
    PeerKind kind = {};
};

struct Channel {
    SocketAddress peer;
    Seconds until = 0;
    std::uint16_t number = 0;
    PeerKind kind = {};

    bool is_tied(Seconds now) const { return number != 0 && now < until + channel_rest; }
};

/// A handful of records of which the first lies here and now and then one is over.
template <class T>
class Few {
public:
    /// The first for which `matches` holds; null when there is none.
    template <class F>
    T* find(F matches) {
        if (matches(first_)) return &first_;
        for (T& one : more_) {
            if (matches(one)) return &one;
        }
        return nullptr;
    }
    /// A free place: one for which `is_over` holds, or a new one. Null when `most` are in use.
    template <class F>
    T* place(F is_over, std::size_t most) {
        if (T* over = find(is_over)) return over;
        if (1 + more_.size() >= most) return nullptr;
        return &more_.emplace_back();
    }
    template <class F>
    void for_each(F f) const {
        f(first_);
        for (const T& one : more_) f(one);
    }

private:
    T first_;
    std::vector<T> more_;
};

/// How the answer to a Connect will be signed, once it is due.
struct Asked {
    stun::TransactionId transaction{};
    Key key;
    stun::Attribute kind = stun::Attribute::message_integrity;
    bool has_fingerprint = false;
};

/// A TCP connection of an allocation with a peer (RFC 6062).
struct TcpPeer {
    PeerConnectionHandle connection;
    Seconds until = 0;  // how long it waits to be taken over
    Asked asked = {};   // of one that the client asked for
    std::uint64_t seen = 0;  // bytes that had passed at the last sweep
};

struct Relay {
    SocketAddress own;     // what it is bound to; port 0: there is none
    int socket = -1;
    Seconds until = 0;
    bool is_tcp = false;

    bool is_open() const { return socket >= 0; }
};

struct Allocation {
    Link link;
    std::array<Relay, 2> relays;  // IPv4, IPv6
    Few<Permission> permissions;
    Few<Channel> channels;
    std::vector<TcpPeer> peers;  // of a TCP allocation
    Key key;
    stun::TransactionId transaction{};  // of the request that made it: its repetition is answered alike
    std::uint64_t reservation = 0;      // what that request was answered; 0: nothing
    std::uint16_t second_family_error = 0;
    bool is_tcp = false;  // its relays are
    std::string user;
    Holding* holding = nullptr;  // null: a free place of the table
    Seconds since = 0;
    Seconds last_used = 0;
    std::uint64_t packets_in = 0, bytes_in = 0;    // from the client to peers
    std::uint64_t packets_out = 0, bytes_out = 0;  // to the client
    std::uint64_t dropped = 0;                     // without permission, or past the limit
    Bucket bits;
    std::shared_ptr<Bucket> stream_bits;  // of a TCP allocation's connections, which other loops may carry

    bool lives() const { return holding != nullptr; }
    Seconds until() const { return std::max(relays[0].until, relays[1].until); }
    Relay& relay_of(const IpAddress& peer) { return relays[peer.is_v4() ? 0 : 1]; }

    const Permission* permission(const IpAddress& peer, Seconds now) {
        return permissions.find([&](const Permission& one) { return one.peer == peer && now < one.until; });
    }
    const Channel* channel(std::uint16_t number, Seconds now) {
        return channels.find([&](const Channel& one) { return one.number == number && now < one.until; });
    }
    const Channel* channel_to(const SocketAddress& peer, Seconds now) {
        return channels.find([&](const Channel& one) { return one.peer == peer && now < one.until; });
    }
};

}  // namespace sallyport::turn
