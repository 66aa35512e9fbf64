// The pool of source addresses, and which of them falls to whom by hash alone.
#pragma once

#include "base/address.hpp"
#include "egress/sources.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sallyport::egress {

/// Rendezvous hashing, keyed by a seed: gateways with the same seed and the same pool agree without talking, a member
/// that goes moves only those who had it, and one that comes takes its share from all alike. The pools of the two
/// families are independent.
class Pool {
public:
    static constexpr std::size_t most_members = 4096;  // addresses, of all networks together

    Pool() = default;
    /// Every address of the networks is a member, the first and the last of each too: they are routes, not links.
    /// Members beyond `most_members` are left out; size_of() tells beforehand.
    Pool(std::span<const Network> networks, std::string_view seed);

    /// How many addresses these networks hold, at most one more than most_members.
    static std::size_t size_of(std::span<const Network> networks);

    /// The free member that falls to `who`; none where no member of the family is free.
    /// @param taken  answers whether a member is somebody else's
    template <class Taken>
    std::optional<IpAddress> choose(std::string_view who, Family family, Taken taken) const {
        const std::uint64_t whom = hash_of(who);
        const Member* best = nullptr;
        std::uint64_t highest = 0;
        for (const Member& member : of(family)) {
            const std::uint64_t weight = mix(whom ^ member.hash);
            if ((best != nullptr && weight <= highest) || taken(member.address)) continue;
            best = &member;
            highest = weight;
        }
        if (best == nullptr) return std::nullopt;
        return best->address;
    }

    bool contains(const IpAddress& address) const { return addresses_.contains(address); }
    std::size_t size(Family family) const { return of(family).size(); }

private:
    struct Member {
        IpAddress address;
        std::uint64_t hash;
    };

    const std::vector<Member>& of(Family family) const { return members_[static_cast<std::size_t>(family)]; }
    std::uint64_t hash_of(std::string_view text) const;
    static std::uint64_t mix(std::uint64_t value);

    std::string seed_;
    std::array<std::vector<Member>, families.size()> members_;
    std::unordered_set<IpAddress> addresses_;
};

}  // namespace sallyport::egress
