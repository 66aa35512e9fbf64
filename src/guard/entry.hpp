// One line of the guard's lists.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "telemetry/protocol.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::guard {

enum class Verdict : std::uint8_t { ban, allow };
inline constexpr std::array<std::string_view, 2> verdict_names{"ban", "allow"};

enum class Origin : std::uint8_t {
    counted,  // too many signs
    manual,   // an administrator's
};
inline constexpr std::array<std::string_view, 2> origin_names{"auto", "manual"};

constexpr std::string_view name(Verdict verdict) { return verdict_names[static_cast<std::size_t>(verdict)]; }
constexpr std::string_view name(Origin origin) { return origin_names[static_cast<std::size_t>(origin)]; }

struct Entry {
    static constexpr SteadyTime never = SteadyTime::max();
    static constexpr std::size_t max_reason = 200;  // octets
    static constexpr std::size_t max_node = 255;

    Network who;
    Verdict verdict = Verdict::ban;
    Origin origin = Origin::counted;
    SteadyTime since;            // may be before the program started
    SteadyTime expires = never;
    std::string reason = {};     // for people
    std::optional<telemetry::Protocol> protocol = {};  // the one that most of what was counted came by
    std::uint32_t count = 0;     // of the signs that led to it
    std::string node = {};       // where it was made

    /// "192.0.2.7", "198.51.100.0/24", "2001:db8::/64"
    std::string address() const {
        const bool one = who.address().is_v4() && who.bits() == 32;
        return one ? who.address().to_string() : who.to_string();
    }

    bool operator==(const Entry&) const = default;
};

/// What became of an entry, for those who keep a copy of it or tell of it.
struct Change {
    enum class What : std::uint8_t { added, lifted, expired, displaced };

    What what = What::added;
    Entry entry;
};

}  // namespace sallyport::guard
