// Who is behind which address at present, by DHCP leases and RADIUS accounting.
#pragma once

#include "base/time.hpp"
#include "egress/person.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::egress {

/// What a DHCP server wrote down.
struct DhcpLease {
    IpAddress address;
    std::string mac;  // canonical
    WallTime until;   // WallTime::max(): for ever

    bool operator==(const DhcpLease&) const = default;
};

/// Somebody's stay in the network, as RADIUS accounting tells of it.
struct Stay {
    std::string user = {};
    std::string mac = {};      // canonical; empty: not told
    std::string session = {};  // of the access server, which is unique there
    IpAddress server = {};     // that told
    WallTime heard = {};
    WallTime noted = {};  // when it was last news

    bool operator==(const Stay&) const = default;
};

class People {
public:
    static constexpr std::size_t most = 500'000;  // of each kind
    static constexpr Duration stay_holds = std::chrono::days(7);   // without a word of it
    static constexpr Duration noted_every = std::chrono::hours(1);  // that one goes on is news as often

    /// The leases of one file, as last read. One that is missing now holds until its time is over: the file may have
    /// been read half written. Answers the addresses behind which is somebody else now.
    std::vector<IpAddress> set_leases(std::size_t file, std::span<const DhcpLease> leases);

    /// Answers whether this is news.
    bool begin_stay(const IpAddress& address, Stay stay);
    /// Those of one session, or, without one, of a whole access server that starts anew.
    std::vector<IpAddress> end_stays(const IpAddress& server, const std::string& session);

    /// Forgets what is over. Answers the addresses that it was about.
    std::vector<IpAddress> expire(WallTime now);

    Person behind(const IpAddress& address) const;
    /// Every address that something is known of, in order.
    std::vector<IpAddress> addresses() const;
    const std::unordered_map<IpAddress, Stay>& stays() const { return stays_; }

private:
    struct Leased {
        std::string mac;
        WallTime until;
    };

    std::map<std::size_t, std::unordered_map<IpAddress, Leased>> leases_;  // by file
    std::unordered_map<IpAddress, Stay> stays_;
};

}  // namespace sallyport::egress
