// What happens to a change that nobody confirms: a process of its own waits, and puts back what was there before. It
// goes on when the one that started it is killed; when it is killed itself, whoever comes next finds the journal.
//
// The files in the state directory:
//   confirmed   what a reboot loads
//   previous    what was confirmed before, for `rollback`
//   pending     a change that waits to be confirmed; while it stands, `snapshot` and `wanted` belong to it
//   snapshot    what was loaded before the change
//   wanted      what was loaded by the change
//   lock        held by whoever changes anything
//   keeper      held by the keeper as long as it lives
#pragma once

#include "base/time.hpp"
#include "firewall/kernel.hpp"
#include "firewall/state_dir.hpp"

#include <optional>
#include <string>

namespace sallyport::firewall {

namespace file {
inline constexpr std::string_view confirmed = "confirmed.nft";
inline constexpr std::string_view previous = "previous.nft";
inline constexpr std::string_view pending = "pending";
inline constexpr std::string_view snapshot = "snapshot.nft";
inline constexpr std::string_view wanted = "wanted.nft";
inline constexpr std::string_view lock = "lock";
inline constexpr std::string_view keeper = "keeper";
}  // namespace file

/// A change that waits to be confirmed.
struct Pending {
    std::string until;  // RFC 3339, for people
    std::string session;  // from where it was made: SSH_CONNECTION, or empty

    std::string to_text() const;
    static std::optional<Pending> parse(std::string_view text);
};

/// Starts the keeper of the change that stands in `pending`. It is watching when this returns.
/// @param alive  the lock file::keeper, which passes to it
/// @param held   the lock file::lock of whoever starts it, which does not
Result<void> start_keeper(const StateDir& state, io::Fd alive, const io::Fd& held, Duration after);

/// Puts back what was there before the pending change and ends it. Whoever calls holds file::lock.
KernelResult<void> restore_snapshot(const StateDir& state);

/// Ends a change whose keeper is gone: after a kill, or a reboot. Whoever calls holds file::lock.
/// @return whether there was one
KernelResult<bool> recover(const StateDir& state);

}  // namespace sallyport::firewall
