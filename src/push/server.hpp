// The push service on one data loop: from a device's first byte to its record.
#pragma once

#include "egress/lookup.hpp"
#include "guard/lookout.hpp"
#include "io/list.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/stream.hpp"
#include "listeners/client_counts.hpp"
#include "listeners/loop_listeners.hpp"
#include "net/names.hpp"
#include "push/claims.hpp"
#include "push/decide.hpp"
#include "push/devices.hpp"
#include "push/hosts.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sallyport::push {

inline constexpr int listener_kind = 1000;  // of listeners that are push's own

class Server {
public:
    struct Options {
        telemetry::Reporter& reporter;
        telemetry::LoopCounters& counters;
        listeners::ClientCounts& clients;  // whose connections are counted, and how many one may hold
        std::function<std::uint32_t()> most_of_client;
        egress::Lookup* sources = nullptr;  // null: nobody has a source address of their own
        guard::Lookout* guard = nullptr;        // null: nobody is banned
        /// Told once, of a courier of a family that this program does not know.
        std::function<void(const std::string& name)> unknown = {};
        /// Resolves a proxy's name.
        std::function<io::Task<net::Addresses>(std::string host, io::Cancellation&)> resolve;
    };

    Server(io::Loop& loop, Options options);

    /// From now on decisions are made by this. Null: nothing is served.
    void adopt(std::shared_ptr<const Policy> policy) { policy_ = std::move(policy); }
    /// Is a connection that came to this socket for us? What a listener of other protocols takes on a VIP is.
    bool takes(int fd) const;
    /// Serves one connection, from its first byte to its record.
    void take(const listeners::ListenerHandle& listener, io::Accepted accepted);

    /// Lets what is open end by itself until then, ends the rest, and waits for it. Awaited before destruction.
    io::Task<void> finish(io::Deadline patience);
    /// Stops the patience of finish().
    void hurry() { hurried_ = true; }

    std::size_t open() const { return scope_.running(); }
    Devices& devices() { return devices_; }
    /// For the name server of this loop: couriers' names are answered by it.
    dns::Claims& claims() { return claims_; }

private:
    struct Session;
    struct Way;
    /// What a connection came to, and where it was going before it was redirected here.
    struct Arrival {
        SocketAddress to;
        std::optional<SocketAddress> original = {};
    };

    Arrival arrival_of(int fd) const;
    io::Task<void> serve(Session session, io::Fd fd);
    io::Task<std::optional<io::Stream>> reach(Session& session, io::Stream& device, Arrival arrival);
    io::Task<bool> learn(Session& session, Way& way, io::Stream& device);
    void begin_relay(Session& session, const io::Stream& device, const io::Stream& apple);
    io::Task<std::optional<io::Stream>> connect(Session& session, const Way& way);
    io::Task<std::optional<io::Stream>> connect_by(Session& session, std::vector<SocketAddress> to);
    io::Task<std::optional<io::Stream>> connect_via(Session& session, config::ProxyUrl proxy,
                                                    std::vector<SocketAddress> to);
    io::Task<bool> find_addresses(Session& session, const Way& way, std::vector<SocketAddress>& to);
    void report(const Session& session);

    io::Loop& loop_;
    Options options_;
    std::shared_ptr<const Policy> policy_;
    Hosts hosts_;
    Devices devices_;
    CourierClaims claims_;
    bool hurried_ = false;
    io::Scope scope_;
};

}  // namespace sallyport::push
