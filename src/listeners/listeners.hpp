// Every listening socket of the program: who claims which address, and what is bound.
//
// Each data loop has a socket of its own on every address (SO_REUSEPORT), so that the kernel deals out the connections.
// A new configuration is applied by difference, all or nothing: sockets that stay are not touched.
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "listeners/loop_listeners.hpp"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace sallyport::listeners {

/// A wish to listen.
struct Claim {
    config::ListenAddress address;
    std::string owner;  // "listen.https"
    bool tls = false;
    int kind = 0;  // the handler's own tag

    bool operator==(const Claim&) const = default;
};

/// A wish that came true.
struct Bound {
    std::string address;  // as in the configuration, with the real port where 0 was asked for
    std::uint16_t port = 0;  // the real one
    std::string owner;
    bool tls = false;
    int kind = 0;
};

/// A data loop and its listeners.
struct LoopPort {
    io::Loop& loop;
    LoopListeners& listeners;
};

/// Could this address be listened on by this program alone? Binds and closes again. The error says that another program
/// holds it (a running gateway is one), that a privilege lacks, or that the address is not ours.
Result<void> probe(const config::ListenAddress& address);

/// Belongs to the control loop.
class Listeners {
public:
    /// @param loops  must outlive the last call of apply()
    explicit Listeners(std::vector<LoopPort> loops) : loops_(std::move(loops)) {}

    /// Makes `wanted` what is listened on. When any address can't be bound nothing changes, and the error has one line
    /// for each that can't.
    /// @param before_hand_over  called when everything is bound and nothing can fail any more: what it posts to the
    ///     loops arrives before the first connection of a new or changed listener. May be empty.
    Result<void> apply(std::vector<Claim> wanted, const std::function<void()>& before_hand_over = {});

    std::vector<Bound> bound() const;

private:
    struct Held {
        Claim claim;
        std::uint64_t id;
        std::uint16_t port;  // the real one

        Listener listener() const { return {id, claim.address.to_string(), claim.owner, claim.tls, claim.kind}; }
    };
    struct Opened {
        Held held;
        std::vector<io::Fd> sockets;  // one for each loop
    };

    Held* find(const config::ListenAddress& address);
    Result<std::vector<Opened>> open_new(const std::vector<Claim>& wanted);
    Result<Opened> open(const Claim& claim);
    void add(Opened opened);
    void keep(const std::vector<Claim>& wanted);
    void post(const LoopPort& to, std::move_only_function<void(LoopListeners&)> work);

    std::vector<LoopPort> loops_;
    std::vector<Held> held_;
    std::set<std::uint16_t> own_ports_;  // that are or once were ours
    std::uint64_t last_id_ = 0;
};

}  // namespace sallyport::listeners
