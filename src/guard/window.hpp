// Counts signs over a sliding window. All clients share one queue in the order of time, so that what they can make us
// remember is bounded as a whole: when it is full, the oldest signs are forgotten before their time.
#pragma once

#include "guard/client_key.hpp"
#include "guard/sign.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sallyport::guard {

/// What one client did within the window.
struct Count {
    unsigned points = 0;  // the sum of sign_points
    std::array<std::uint32_t, sign_names.size()> signs{};
    std::array<std::uint32_t, telemetry::protocol_names.size()> protocols{};

    bool operator==(const Count&) const = default;
};

class Window {
public:
    static constexpr Duration length = std::chrono::seconds(60);

    /// @param capacity  signs, at least 1
    explicit Window(std::size_t capacity) : capacity_(capacity) {}

    /// A sign counts from its time on and for less than `length`. One that is told late counts as of the latest time
    /// that was told. Answers the client's count with it.
    Count add(ClientKey client, const Suspicion& sign);
    /// It begins anew, as after a ban.
    void forget(ClientKey client) { counts_.erase(client); }
    /// Lets go of what is older than the window.
    void expire(SteadyTime now);

    struct Suspect {
        ClientKey client;
        Count count;
    };
    /// Those with the most points, the worst first.
    std::vector<Suspect> top(std::size_t most) const;
    std::size_t clients() const { return counts_.size(); }

private:
    struct Event {
        SteadyTime time;
        ClientKey client;
        std::uint64_t credential;
        std::uint64_t number;
        Sign sign;
        telemetry::Protocol protocol;
    };
    struct Counted {
        Count count;
        std::uint64_t since;  // the number of the first sign that is in the count
    };

    static std::uint64_t credential_of(ClientKey client, std::uint64_t credential);
    void drop_oldest();

    const std::size_t capacity_;
    std::deque<Event> events_;  // oldest first
    std::unordered_map<ClientKey, Counted> counts_;
    std::unordered_set<std::uint64_t> credentials_;  // that events_ hold, with their client
    std::uint64_t last_number_ = 0;
    SteadyTime latest_{};
};

}  // namespace sallyport::guard
