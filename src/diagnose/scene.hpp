// All that was seen, for the detectors to conclude from.
#pragma once

#include "diagnose/finding.hpp"
#include "diagnose/flow_table.hpp"
#include "diagnose/identity.hpp"

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport::diagnose {

inline constexpr std::size_t max_hosts = 200'000;
inline constexpr std::size_t max_names = 20'000;
inline constexpr std::size_t max_claims = 50'000;

/// Where the capture was taken, as far as time-to-live fields tell.
enum class Place : std::uint8_t { unknown, client, server, between };

/// The attempts of one client to reach one port, as long as no more than a minute passes between them and none
/// succeeds.
struct Episode {
    std::vector<const Flow*> flows;  // in order of their first packet
    Time first = 0;  // SYN
    Time last = 0;  // SYN
};

/// A client and a port of a server, TCP.
struct Approach {
    IpAddress client, server;
    std::uint16_t port = 0;
    std::uint8_t vantage = 0;
    std::vector<const Flow*> flows;  // that a SYN has opened, in order of their first packet
};

class Scene {
public:
    FlowTable flows;
    Time first_time = 0, last_time = 0;
    std::string expected_issuer;  // part of the name of who may issue servers' certificates; empty: anybody

    void saw_host(const IpAddress& host, std::uint8_t time_to_live);
    /// That a name has this address, as a DNS answer said.
    void saw_name(const std::string& name, const IpAddress& address);

    /// Who the client of a flow says it is.
    void saw_claim(Claim claim) {
        if (claims_.size() >= max_claims) return no_room_for("identities of clients");
        claims_.push_back(std::move(claim));
    }

    /// A detector has as many of these as it takes, and the report says so.
    void no_room_for(std::string_view what, std::size_t count = 1) { left_out_[what] += count; }
    const std::map<std::string_view, std::size_t>& left_out() const { return left_out_; }

    const std::vector<Claim>& claims() const { return claims_; }

    /// To be called once, when all has been seen: what several detectors need.
    void settle();

    const std::vector<Approach>& approaches() const { return approaches_; }
    Place place_of(const IpAddress& server, std::uint8_t client_time_to_live) const;
    /// Was nothing captured of what this server said to this client, though it did say something?
    bool one_sided(const IpAddress& client, const IpAddress& server) const;
    bool all_one_sided() const { return !one_sided_.empty() && !any_two_sided_; }
    const std::set<std::pair<IpAddress, IpAddress>>& one_sided_pairs() const { return one_sided_; }
    /// Do both addresses belong to one name that was looked up here?
    bool same_name(const IpAddress& a, const IpAddress& b) const;
    std::string name_of(const IpAddress& address) const;  // empty: unknown

    /// The times of the SYNs of a flow's client, and their packets.
    struct Tries {
        std::vector<Time> times;
        std::vector<PacketNumber> packets;
    };
    Tries tries(const Flow& flow) const;
    /// TCP flows of a client that began at `since` or later, by time.
    std::span<const Flow* const> of_client(const IpAddress& client, Time since) const;

private:
    void find_twins();
    void judge_pair(std::span<const Flow* const> pair);

    std::unordered_map<IpAddress, std::uint8_t> hosts_;  // time to live of the first packet
    std::set<std::pair<IpAddress, std::string>> names_;
    std::vector<Claim> claims_;
    std::map<std::string_view, std::size_t> left_out_;
    std::vector<Approach> approaches_;
    std::set<std::pair<IpAddress, IpAddress>> one_sided_;
    bool any_two_sided_ = false;
    std::vector<const Flow*> by_client_;  // sorted by client and start
};

/// The attempts of an approach that an ICMP error answered, to ask which others belong to the same time: rules change,
/// and several files may be hours apart.
class IcmpTimes {
public:
    IcmpTimes(const Scene& scene, const Approach& approach);
    /// Did one of them begin within a minute of this attempt?
    bool near(const Flow& flow) const;

private:
    std::vector<Time> begins_;  // sorted
};

/// Why an attempt ended the wait of another: the first whole handshake of the same client with another port of the
/// server, or with another server of the same name, that began behind the last SYN.
struct Rescue {
    const Flow* flow = nullptr;
    Time at = 0;
};
std::optional<Rescue> find_rescue(const Scene& scene, const Flow& failed, Time first, Time last);

std::vector<Episode> episodes_of(const Scene& scene, const std::vector<const Flow*>& flows);

}  // namespace sallyport::diagnose
