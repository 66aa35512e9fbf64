// Changing the firewall so that nobody is locked out: everything is tried where it can do no harm, what was there is
// kept, and a change that nobody confirms undoes itself.
#pragma once

#include "firewall/keeper.hpp"
#include "firewall/kernel.hpp"
#include "firewall/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::firewall {

struct Failure {
    enum class Why : std::uint8_t {
        failed,
        busy,  // somebody else changes it, or a change waits to be confirmed
        refused,  // it would cut the admin off, or the confirmation proves nothing
        not_permitted,  // root's rights are missing
        nothing,  // there is nothing to confirm, to go back to or to remove
    };
    Why why = Why::failed;
    std::string message;
};
template <class T>
using Outcome = Result<T, Failure>;

struct ApplyOptions {
    Duration confirm_within{};  // 0: for good at once
    std::optional<Session> session;  // the admin's own connection
    bool even_if_cut_off = false;
};

struct Applied {
    bool recovered = false;  // a change was found whose keeper was gone, and undone first
    std::string until;  // RFC 3339; empty: for good
};

/// Puts the policy's table into the kernel, or changes nothing.
Outcome<Applied> apply(const Policy& policy, const StateDir& state, const ApplyOptions& options);

/// Makes the pending change last. From another connection than it was made from: that is what shows that one can
/// still get in.
Outcome<void> confirm(const StateDir& state, const std::optional<Session>& session, bool from_the_same);

/// Undoes the pending change; without one, goes back to what was confirmed before.
Outcome<void> roll_back(const StateDir& state);

/// Takes our table out of the kernel, and the word to load it at the next start with it.
Outcome<void> remove(const StateDir& state);

/// For the start of the machine or the gateway: ends what was left pending and, where no table of ours is loaded,
/// loads the confirmed one; where this kernel refuses that, as one before an upgrade did not, the one before it.
struct Booted {
    bool recovered = false;
    bool loaded = false;
    std::string refused;  // what the kernel says against what should be loaded: what was confirmed before is. Empty:
                          // nothing
};
Outcome<Booted> boot(const StateDir& state);

/// A listing held against what should be loaded: lines only there, "-", and only here, "+". Empty: the same.
std::string difference(const std::optional<std::string>& loaded, const std::string& wanted);

}  // namespace sallyport::firewall
