// What one data loop knows of source addresses. The first connection of a client asks the control loop, where they are
// given; later ones find the answer here.
#pragma once

#include "base/time.hpp"
#include "egress/book.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>

namespace sallyport::egress {

class Lookup {
public:
    static constexpr std::size_t most_known = 131'072;  // clients; past that all are asked for anew
    static constexpr Duration fresh_for =
        std::chrono::minutes(30);  // then asked again, so that it is known who is about

    /// Asks the control loop, from this loop's thread, and brings the answer back to it.
    using Ask = std::function<void(const IpAddress& client, std::function<void(const Choice&)> answered)>;

    /// @param ask  none: there are no source addresses to be given
    explicit Lookup(io::Loop& loop, Ask ask = {}) : loop_(loop), ask_(std::move(ask)) {}

    /// Are there any to be given? As told last, by enable().
    bool enabled() const { return enabled_; }
    void enable(bool enabled);

    /// What is known now; null: find() will ask.
    const Choice* known(const IpAddress& client, SteadyTime now) const;
    /// What this client's connections go out from. Nothing when nobody answers within seconds.
    io::Task<std::optional<Choice>> find(IpAddress client);
    /// These may have another source now; without any, all may.
    void forget(std::span<const IpAddress> clients);

private:
    struct Known {
        Choice choice;
        SteadyTime until;
    };

    io::Loop& loop_;
    Ask ask_;
    bool enabled_ = false;
    std::uint64_t forgotten_ = 0;  // times: an answer that was under way meanwhile is used once and not kept
    std::unordered_map<IpAddress, Known> known_;
};

}  // namespace sallyport::egress
