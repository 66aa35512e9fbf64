// What the rooms above tell the guard, and what they ask of it. Each data loop has a lookout of its own: neither call
// takes a lock or waits.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "guard/bans.hpp"
#include "guard/ring.hpp"
#include "guard/sign.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace sallyport::guard {

/// For Suspicion::credential, of LDAP's simple bind and of HTTP Basic. Never 0. Keyed anew by each run, so that nobody
/// can make two guesses look like one.
std::uint64_t credential_hash(std::string_view user, std::string_view secret);

/// Belongs to the thread of its loop, but for rest(), take() and dropped(). One with nothing behind it bans nobody.
class Lookout {
public:
    /// @param wake  called when there is something to take after rest(); must not block. May be empty.
    explicit Lookout(std::function<void()> wake = {}) : wake_(std::move(wake)) {}

    /// To be told once for each sign. When signs come faster than they are counted, they are dropped: who sends them is
    /// banned all the same.
    void suspect(const Suspicion& what) {
        told_.push(what);
        if (wake_ && !awake_.exchange(true, std::memory_order_acq_rel)) wake_();
    }

    /// Must this client be turned away? Asked at accept, and before each request of a connection that lives on.
    bool banned(const IpAddress& address) const { return bans_ != nullptr && bans_->hold(address); }
    /// From now on it goes by these.
    void adopt(std::shared_ptr<const Bans> bans) { bans_ = std::move(bans); }

    // For one other thread: the control loop, or a test.
    /// Before taking: what is told from now on wakes again.
    void rest() { awake_.store(false, std::memory_order_release); }
    /// The oldest that was told and not taken.
    std::optional<Suspicion> take() { return told_.pop(); }
    std::uint64_t dropped() const { return told_.dropped(); }

private:
    static constexpr std::size_t capacity = 4096;

    const std::function<void()> wake_;
    std::shared_ptr<const Bans> bans_;
    std::atomic<bool> awake_{false};
    Ring<Suspicion, capacity> told_;
};

}  // namespace sallyport::guard
