// TCP connections between relays and peers (RFC 6062), from when they are wanted to their end.
//
// The loop of the allocation begins one; the connection by which its client takes it over may come to any loop, so that
// what both must know lies here, behind a lock that is taken a few times in its life.
#pragma once

#include "base/address.hpp"
#include "turn/quotas.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace sallyport::turn {

class PeerConnection {
public:
    enum class State : std::uint8_t {
        connecting,
        waiting,  // for its client: the socket lies here
        carried,  // by the loop that its client came to
        over,
    };

    /// Whose it is, and whose limits on bits it keeps.
    struct Owner {
        std::string user;
        std::shared_ptr<Bucket> allocation_bits = {};
        std::shared_ptr<Holding> holding = {};
    };

    PeerConnection(std::uint32_t number, const SocketAddress& to, Owner of)
        : id(number), peer(to), owner(std::move(of)) {}

    const std::uint32_t id;  // CONNECTION-ID (section 6.2.1)
    const SocketAddress peer;  // as its client knows it
    const Owner owner;

    State state() const;
    /// It is there, and waits. False: it is over by now, and the socket still the caller's.
    bool connected(int socket);
    /// The socket, for who will carry it. Nothing where it does not wait.
    std::optional<int> take();
    /// @param hang_up  makes its carrier end; called from any thread, at once where it is over by now. Must not block.
    void carried_by(std::function<void()> hang_up);
    /// It ends, if it has not. The socket that is left to be closed; nothing where that is somebody else's.
    std::optional<int> end();

    std::atomic<std::uint64_t> bytes_in{0};  // from the client
    std::atomic<std::uint64_t> bytes_out{0};  // to the client
    std::uint64_t bytes() const { return bytes_in + bytes_out; }

private:
    mutable std::mutex mutex_;
    State state_ = State::connecting;
    int socket_ = -1;
    std::function<void()> hang_up_;
};
using PeerConnectionHandle = std::shared_ptr<PeerConnection>;

/// Those that live, by their ids. Any thread.
class PeerConnections {
public:
    PeerConnectionHandle add(const SocketAddress& peer, const PeerConnection::Owner& owner);
    /// Null when there is none.
    PeerConnectionHandle find(std::uint32_t id) const;
    void remove(std::uint32_t id);
    std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::map<std::uint32_t, PeerConnectionHandle> all_;
};

}  // namespace sallyport::turn
