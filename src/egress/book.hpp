// The book of who goes out from where: a pin holds first, then what was given before, then the hash over the pool.
//
// An address once given stays until its pool member is gone, even where the pool has grown since and the hash would
// choose another. Pure: time is a parameter, and what is to be written down is handed out as changes.
#pragma once

#include "base/time.hpp"
#include "egress/person.hpp"
#include "egress/pins.hpp"
#include "egress/pool.hpp"
#include "egress/sources.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::egress {

/// What was given to an identity.
struct Lease {
    IpAddress source;
    WallTime since;
    WallTime seen;  // when it was last asked for, to the hour

    bool operator==(const Lease&) const = default;
};

/// Why connections go out from there, in one family.
enum class Why : std::uint8_t {
    no_pool,    // there is none of this family: the kernel chooses
    pin,
    kept,       // as it was before
    hash,       // for the first time
    exhausted,  // exclusive, and every member is somebody's
};
inline constexpr std::array<std::string_view, 5> why_names{"no_pool", "pin", "kept", "hash", "exhausted"};

struct Choice {
    Sources sources{};
    std::array<Why, families.size()> why{};

    /// May connections to this address go out at all?
    bool refused(const IpAddress& to) const { return why[static_cast<std::size_t>(family_of(to))] == Why::exhausted; }
};

/// A line of the book, or a pin by hand, that is new, another or gone.
struct Change {
    std::string who;  // an identity, or a pin's subject
    Family family = Family::v4;
    bool pin = false;
    std::optional<Lease> lease;  // nothing: gone
    /// Of a pin that is gone: since when. Others must learn of it, and so it is a line for some time.
    std::optional<WallTime> gone = {};
};

class Book {
public:
    static constexpr std::size_t most_leases = 500'000;  // past that the hash alone says it
    static constexpr std::size_t most_pins = 200'000;    // by hand
    static constexpr Duration seen_to = std::chrono::hours(1);
    static constexpr Duration gone_for = std::chrono::days(30);  // a pin that is gone is remembered as gone

    struct Policy {
        Pool pool{};
        bool exclusive = false;  // one address, one identity
        std::vector<Pin> pins = {};  // of the configuration
        Duration remember_for = std::chrono::days(30);
    };

    void apply(Policy policy);

    /// What this person's connections go out from, remembered from now on.
    Choice choose(const Person& person, WallTime now);
    /// The same without a trace.
    Choice look(const Person& person) const;

    /// Takes up what stood in a store, or what another gateway says. The older line of an identity holds, and in
    /// exclusive mode the older holder of an address. False: it came to nothing.
    bool hear(const std::string& who, const Lease& lease);
    /// By hand, over the hash and what was given, under the configuration; newer than what was said of it before, also
    /// by a gateway whose clock is ahead. False where there are too many.
    bool pin(const Pin& pin, WallTime now);
    /// The same from a store or another gateway: the newer one holds, be it a pin or its end.
    bool hear_pin(const Pin& pin, const Lease& lease);
    /// False: there was none.
    bool unpin(const std::string& subject, Family family, WallTime now);
    /// The same from a store or another gateway. False: it came to nothing.
    bool hear_unpin(const std::string& subject, Family family, WallTime since);

    /// Forgets whom nobody asked for in a long time.
    void expire(WallTime now);
    /// Since the last call.
    std::vector<Change> take_changes() { return std::exchange(changes_, {}); }

    struct Pinned {
        Pin pin;
        Lease lease;
    };
    using Leases = std::unordered_map<std::string, std::array<std::optional<Lease>, families.size()>>;
    const Leases& leases() const { return leases_; }
    /// By hand.
    std::vector<Pinned> pinned() const;
    bool has_pins() const { return !by_hand_.empty(); }
    /// What was unpinned, and when.
    using Key = std::pair<std::string, Family>;  // of a pin: its subject
    using Gone = std::map<Key, WallTime>;
    const Gone& gone() const { return gone_; }
    const Policy& policy() const { return policy_; }

private:
    bool usable(const std::string& who, const IpAddress& source) const;
    bool taken(const std::string& who, const IpAddress& source) const;
    std::optional<IpAddress> pin_of(const Person& person, Family family) const;
    /// @param who  empty; the person's identity where it was needed: a pinned one is not looked for by it
    Choice choose_for(const Person& person, std::string& who) const;
    void give(const std::string& who, const Lease& lease);
    void let_go(const std::string& who, const IpAddress& source);
    void drop(const std::string& who, Family family);
    WallTime after_what_is_known(const Key& key, WallTime now) const;
    bool put(const Pin& pin, WallTime since);
    void expire_gone(WallTime now);

    Policy policy_;
    Pins configured_;
    Pins manual_;
    std::map<Key, Pinned> by_hand_;
    Gone gone_;
    Leases leases_;
    std::unordered_map<IpAddress, std::string> holders_;  // exclusive: who has it
    std::vector<Change> changes_;
};

}  // namespace sallyport::egress
