// Keeps the guard's lists over restarts: changes are gathered and written once a second, in one transaction.
#pragma once

#include "base/time.hpp"
#include "guard/entry.hpp"
#include "store/guard_entries.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::guard {

/// Two clocks at one moment: how long is left of a stored time is told by the wall's, and kept by the steady one.
struct Clocks {
    SteadyTime now;
    WallTime wall;
};

/// A row's texts are checked as if a stranger had written them. Nothing when they make no entry that still holds. A
/// clock that was set back since does not lengthen a ban: at most its whole term is left.
std::optional<Entry> entry_of(const store::GuardRow& row, Clocks at);
store::GuardRow row_of(const Entry& entry, Clocks at);

class Keeper {
public:
    static constexpr std::size_t edits_at_once = 20'000;  // what one write may hold up the control loop with
    static constexpr std::size_t edits_at_most = 1'500'000;  // due at once: more than a table holds

    /// @param entries  outlives this
    /// @param most     edits that may be due, while the disk takes none; past them any one is given up
    explicit Keeper(store::GuardEntries& entries, std::size_t most = edits_at_most) : entries_(entries), most_(most) {}

    Result<std::vector<Entry>> load(Clocks at);
    void note(const Change& change);
    void forget(const Network& who) { put(who, std::nullopt); }
    /// Writes what is due. On failure all of it stays due. The error is told once, until a write succeeds again.
    std::optional<std::string> write(Clocks at);
    /// At the end: until nothing is due, or the disk fails.
    std::optional<std::string> write_all(Clocks at);

private:
    void put(const Network& who, std::optional<Entry> entry);

    store::GuardEntries& entries_;
    const std::size_t most_;
    std::map<Network, std::optional<Entry>> due_;  // what the row shall be; nothing: gone
    bool failing_ = false;
};

}  // namespace sallyport::guard
