// Who is banned, who never is, and what becomes of either with time: the guard's whole judgement, as a plain value. The
// caller says what time it is.
#pragma once

#include "base/result.hpp"
#include "guard/bans.hpp"
#include "guard/entry.hpp"
#include "guard/window.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport::guard {

struct Policy {
    unsigned suspicious_per_minute = 10;  // more than this within any minute bans
    Duration ban_for = std::chrono::minutes(15);
    std::vector<Network> never_ban = {};  // the configured ones, and targets', trusted proxies', gateways' addresses
    std::vector<Network> always_ban = {};
};

struct Limits {
    std::size_t bans = 1'000'000;  // of single clients; those that would expire first make room
    std::size_t lists = 10'000;  // allow entries, and bans of wider networks
    std::size_t signs = 262'144;  // remembered within the window
};

class Table {
public:
    explicit Table(std::string node, Limits limits = {});

    /// Bans of whom the policy now exempts are lifted.
    void apply(Policy policy);

    /// Counts a sign; the one too many bans.
    void suspect(const Suspicion& sign);
    /// A ban by hand, or another term for one that there is. The error says which rule forbids it.
    Result<void> ban(const Network& who, SteadyTime expires, std::string reason, SteadyTime now);
    /// Lifts the bans of all that `who` holds, and lets nothing ban them.
    Result<void> allow(const Network& who, SteadyTime expires, std::string reason, SteadyTime now);
    /// Takes the entry of exactly this network away. False: there was none.
    bool remove(const Network& who);
    /// An entry made elsewhere or earlier: from the store, or of another gateway. The newer of two stays, an allow
    /// entry beats a ban. False: it changes nothing.
    bool learn(Entry entry, SteadyTime now);
    /// Ends what has had its time.
    void expire(SteadyTime now);
    /// When something expires next; Entry::never: nothing does.
    SteadyTime next_expiry() const { return terms_.empty() ? Entry::never : terms_.begin()->first; }

    /// What has changed since it was last asked, in order.
    std::vector<Change> take_changes() { return std::exchange(changes_, {}); }
    const Lists& lists() const;

    /// The entry of exactly this network.
    const Entry* at(const Network& who) const;
    /// The entry that decides on this address: an allow entry, else a ban; null: neither.
    const Entry* find(const IpAddress& address) const;
    /// All of them: allow entries and network bans, then clients; at most `most`.
    std::vector<Entry> entries(std::size_t most) const;
    /// All that the lists of this verdict hold: the policy's and the entries'.
    std::vector<Network> networks(Verdict verdict) const;
    std::vector<BannedClient> clients() const;
    std::size_t bans() const { return clients_.size() + networks_.size() - allows_; }
    std::size_t allows() const { return allows_; }
    const Policy& policy() const { return policy_; }
    const Window& window() const { return window_; }

private:
    bool is_exempt(const IpAddress& address) const;
    std::optional<std::string> forbids_ban(const Network& who) const;
    void put(Entry entry);
    void make_room();
    std::optional<Entry> erase(const Network& who);
    bool take_away(Network who, Change::What why);
    void lift_within(const Network& who);
    bool has_room(const Entry& entry) const;

    const std::string node_;
    const Limits limits_;
    Policy policy_;
    mutable Lists lists_;
    mutable bool lists_stale_ = true;
    Window window_;
    std::unordered_map<ClientKey, Entry> clients_;  // bans of single clients
    std::map<Network, Entry> networks_;  // everything else
    std::size_t allows_ = 0;  // of networks_
    std::set<std::pair<SteadyTime, Network>> terms_;  // of entries that expire
    std::vector<Change> changes_;
};

}  // namespace sallyport::guard
