#include "config/units.hpp"

#include "base/text.hpp"

#include <array>
#include <limits>
#include <span>

namespace sallyport::config {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

using std::chrono::nanoseconds;

// Largest first, for printing.
constexpr std::array duration_units{
    Unit{"d", nanoseconds(std::chrono::days(1)).count()},
    Unit{"h", nanoseconds(std::chrono::hours(1)).count()},
    Unit{"m", nanoseconds(std::chrono::minutes(1)).count()},
    Unit{"s", nanoseconds(std::chrono::seconds(1)).count()},
    Unit{"ms", nanoseconds(std::chrono::milliseconds(1)).count()},
};
constexpr std::array size_units{
    Unit{"GiB", std::int64_t{1} << 30},
    Unit{"MiB", std::int64_t{1} << 20},
    Unit{"KiB", std::int64_t{1} << 10},
    Unit{"B", 1},
};

constexpr std::int64_t longest = nanoseconds(std::chrono::days(36'525)).count();

struct Quantity {
    std::string_view what;   // "duration"
    std::string_view units;  // "ms, s, m, h, d"
    std::string_view sample; // the unit that a hint adds to a bare number
    std::span<const Unit> table;
    std::int64_t most;
};

constexpr Quantity durations{"duration", "ms, s, m, h, d", "s", duration_units, longest};
constexpr Quantity sizes{"size", "B, KiB, MiB, GiB", "KiB", size_units, std::numeric_limits<std::int64_t>::max()};

Result<std::int64_t, Complaint> parse(std::string_view text, const Quantity& quantity) {
    const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
    const auto unit = text.substr(digits.size());
    const std::string what(quantity.what);
    const std::string units = "a whole number and one of " + std::string(quantity.units);
    if (digits.empty()) return fail(Complaint{quote(text) + " is not a " + what, units});
    if (unit.empty()) {
        const auto example = quote(std::string(digits) + std::string(quantity.sample));
        return fail(Complaint{quote(text) + " has no unit", "write " + example + ", say: " + units});
    }
    for (const Unit& known : quantity.table) {
        if (known.name != unit) continue;
        const auto number = parse_number<std::int64_t>(digits);
        if (!number || *number > quantity.most / known.factor) return fail(Complaint{quote(text) + " is too large"});
        return *number * known.factor;
    }
    return fail(Complaint{quote(text) + " has an unknown unit", units});
}

}  // namespace

Result<Duration, Complaint> parse_duration(std::string_view text) {
    const auto count = parse(text, durations);
    if (!count) return fail(count.error());
    return Duration(*count);
}

Result<std::uint64_t, Complaint> parse_size(std::string_view text) {
    const auto count = parse(text, sizes);
    if (!count) return fail(count.error());
    return static_cast<std::uint64_t>(*count);
}

std::string to_text(Duration duration) {
    if (duration == Duration::zero()) return "0s";
    for (const Unit& unit : duration_units) {
        if (duration.count() % unit.factor == 0)
            return std::to_string(duration.count() / unit.factor) + std::string(unit.name);
    }
    return std::to_string(duration.count()) + "ns";
}

}  // namespace sallyport::config
