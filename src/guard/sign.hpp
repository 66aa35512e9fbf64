// What counts against a client, and how much.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "telemetry/protocol.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::guard {

/// What a client did that an honest one would not. What is never one: a challenge (the first 401 or 407), a stale
/// nonce, a redirect, overload, an outage, a connection that closes without a word.
enum class Sign : std::uint8_t {
    refused,            // by this gateway: no such service, not allowed, malformed, no certificate
    target_failed,      // the target did not take its connection, though it was up; an outage begins like this too
    wrong_credentials,  // the target refused what it offered
    probing,            // the target refused what only a stranger asks for: an unknown user, a forbidden page
    doubtful,           // as likely a mistake of an honest client: a failed handshake, silence, a duplicate alias
};
inline constexpr std::array<std::string_view, 5> sign_names{"refused", "target_failed", "wrong_credentials", "probing",
                                                            "doubtful"};
/// In quarters of one: a client is banned for more than `suspicious_per_minute` whole ones.
inline constexpr std::array<unsigned, sign_names.size()> sign_points{4, 1, 4, 4, 1};
inline constexpr unsigned points_of_one = 4;

constexpr std::string_view name(Sign sign) { return sign_names[static_cast<std::size_t>(sign)]; }

constexpr unsigned points(Sign sign) { return sign_points[static_cast<std::size_t>(sign)]; }

struct Suspicion {
    IpAddress client;
    telemetry::Protocol protocol = telemetry::Protocol::http;
    Sign sign = Sign::refused;
    /// Tells wrong credentials apart (credential_hash): the same ones count once within the window. 0: they can't be
    /// told apart, as those of a digest, and each time counts.
    std::uint64_t credential = 0;
    SteadyTime time;
};

}  // namespace sallyport::guard
