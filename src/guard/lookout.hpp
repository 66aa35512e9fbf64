// What the rooms above tell the guard, and what they ask of it. Each data loop has a lookout of its own: neither call
// takes a lock, makes a system call or allocates.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "guard/ring.hpp"
#include "telemetry/protocol.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::guard {

/// What a client did that an honest one would not. What is never one: a challenge (the first 401 or 407), a stale
/// nonce, a redirect, overload, an outage, a connection that closes without a word.
enum class Sign : std::uint8_t {
    refused,            // by this gateway: no such service, not allowed, malformed, no certificate
    target_failed,      // the target did not take its connection, though it takes those of others
    wrong_credentials,  // the target refused what it offered
    probing,            // the target refused what only a stranger asks for: an unknown user, a forbidden page
};
inline constexpr std::array<std::string_view, 4> sign_names{"refused", "target_failed", "wrong_credentials", "probing"};
constexpr std::string_view name(Sign sign) { return sign_names[static_cast<std::size_t>(sign)]; }

struct Suspicion {
    IpAddress client;
    telemetry::Protocol protocol = telemetry::Protocol::http;
    Sign sign = Sign::refused;
    /// Tells wrong credentials apart (credential_hash): the same ones count once within the window. 0: they can't be
    /// told apart, as those of a digest, and each time counts.
    std::uint64_t credential = 0;
    SteadyTime time;
};

/// For Suspicion::credential, of LDAP's simple bind and of HTTP Basic. Never 0. Keyed anew by each run, so that nobody
/// can make two guesses look like one.
std::uint64_t credential_hash(std::string_view user, std::string_view secret);

/// Belongs to the thread of its loop, but for take() and dropped().
class Lookout {
public:
    /// To be told once for each sign. When signs come faster than they are counted, they are dropped: who sends them is
    /// banned all the same.
    void suspect(const Suspicion& what) { told_.push(what); }

    /// Must this client be turned away? Asked at accept, and before each request of a connection that lives on.
    bool banned(const IpAddress&) const { return false; }

    /// The oldest that was told and not taken. For one thread: the control loop, or a test.
    std::optional<Suspicion> take() { return told_.pop(); }
    std::uint64_t dropped() const { return told_.dropped(); }

private:
    static constexpr std::size_t capacity = 4096;

    Ring<Suspicion, capacity> told_;
};

}  // namespace sallyport::guard
