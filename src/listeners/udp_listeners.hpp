// The UDP sockets that clients come to: who claims which address, and what is bound.
//
// As with TCP each data loop has a socket of its own on every address, and the kernel deals the clients out by their
// address and port. It deals them out anew when the group of sockets changes; so a group keeps its size for life.
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "io/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sallyport::listeners {

/// A wish to listen.
struct UdpClaim {
    config::ListenAddress address;
    std::string owner;  // "turn.udp"
    int kind = 0;       // the handler's own tag
    int handler = 0;    // who takes the sockets; of an address that is open it can't change

    bool operator==(const UdpClaim&) const = default;
};

/// One that came true, as each loop is told of it.
struct UdpListener {
    std::uint64_t id = 0;  // unique while the program runs
    UdpClaim claim;
};

/// Belongs to the control loop.
class UdpListeners {
public:
    /// Called for each loop in turn, by its number.
    struct Hooks {
        std::function<void(std::size_t loop, const UdpListener&, io::Fd)> added;
        std::function<void(std::size_t loop, const UdpListener&)> changed;  // another owner or kind
        std::function<void(std::size_t loop, const UdpListener&)> removed;
    };
    static constexpr int receive_buffer = 4 << 20;  // bytes; a burst of calls must not be lost while a loop is busy

    UdpListeners(std::size_t loops, Hooks hooks) : loops_(loops), hooks_(std::move(hooks)) {}

    struct Opened {
        UdpListener listener;
        std::vector<io::Fd> sockets;  // one for each loop
    };
    /// What a change will be, bound already.
    struct Change {
        std::vector<UdpClaim> wanted;
        std::vector<Opened> opened;
    };

    /// Binds what is new. Nothing that is listened on changes yet; the error has one line for each address that can't
    /// be bound, or is another handler's.
    Result<Change> prepare(std::vector<UdpClaim> wanted);
    /// Makes it what is listened on. Can't fail.
    void apply(Change change);

    const std::vector<UdpListener>& bound() const { return held_; }

private:
    /// @param shares  its port with another one of ours
    Result<Opened> open(const UdpClaim& claim, bool shares);

    const std::size_t loops_;
    const Hooks hooks_;
    std::vector<UdpListener> held_;
    std::uint64_t last_id_ = 0;
};

/// Could this address be listened on by this program alone? As of listeners::probe.
Result<void> probe_udp(const config::ListenAddress& address);

}  // namespace sallyport::listeners
