// Connections to targets that outlive their request and wait for the next one, of any client. Each loop has its own.
#pragma once

#include "egress/sources.hpp"
#include "gate/targets/state.hpp"
#include "io/scope.hpp"
#include "io/stream.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::gate {

/// A connection to a target, ready to carry a message.
struct TargetConnection {
    io::Stream stream;
    Lease lease;              // its place among the target's connections
    std::string text;         // "172.16.0.10:80": how records call the target
    std::string server_name;  // that its certificate was checked for; empty without TLS of ours
    bool tls = false;         // on the way to the target, be it the client's own
    std::uint32_t epoch = 0;  // KeptConnections::epoch() when it was made
    egress::Sources sources{};  // that it was dialed from: only whose they are may use it again

    /// Nothing has come that nobody asked for, no end, and nothing waits to be sent.
    bool quiet() const {
        const io::Watched& watched = stream.watched();
        return !watched.readable && !watched.hung_up && !stream.blocked();
    }
};

class KeptConnections {
public:
    static constexpr std::size_t most_of_target = 128;
    static constexpr std::size_t most = 1024;
    static constexpr std::chrono::seconds kept_for{60};
    static constexpr std::chrono::seconds looked_at_every{5};

    explicit KeptConnections(io::Loop& loop) : loop_(loop), scope_(loop) {}

    /// The one that was used last: the target is the least likely to have given it up.
    /// @param younger_than  how long it may have waited
    std::optional<TargetConnection> take(const TargetState& target, bool tls, std::string_view server_name,
                                         const egress::Sources& sources, Duration younger_than,
                                         io::Cancellation& for_session);
    /// Keeps it; closes it where there are enough, or where what it was chosen by has changed meanwhile.
    void put(TargetConnection connection);
    /// Closes all: what they were chosen by has changed.
    void clear();
    std::size_t size() const { return count_; }
    /// How often what connections are chosen by has changed.
    std::uint32_t epoch() const { return epoch_; }
    /// Closes all, and ends the looking. Awaited before destruction.
    io::Task<void> close();

private:
    struct Waiting {
        TargetConnection connection;
        SteadyTime since;
    };

    io::Task<void> look_after();
    void drop_old();

    io::Loop& loop_;
    std::unordered_map<const TargetState*, std::vector<Waiting>> waiting_;  // the last used at the back
    std::size_t count_ = 0;
    std::uint32_t epoch_ = 0;
    bool looking_ = false;
    bool closed_ = false;
    io::Scope scope_;
};

}  // namespace sallyport::gate
