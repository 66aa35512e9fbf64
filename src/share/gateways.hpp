// The other gateways that share by the same Redis, by the addresses that each announces there: none of them is banned.
// What is announced may be a lie. It can exempt some addresses for a day, which is less than an allow entry can.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::share {

struct Announcement {
    std::string node;
    WallTime until;
    std::vector<IpAddress> addresses = {};

    bool operator==(const Announcement&) const = default;
};

/// As it stands in the Redis: when it ends, in milliseconds, and the addresses, between blanks. Only what can be a
/// gateway's for others is announced: no loopback, link-local, multicast or unspecified address, and no network.
std::string announcement_line(const Announcement& announcement);
/// Nothing where it is no such line; one bad address spoils it.
std::optional<Announcement> parse_announcement(std::string_view node, std::string_view line);
bool can_be_announced(const IpAddress& address);

class Gateways {
public:
    static constexpr std::size_t most = 64;
    static constexpr std::size_t most_addresses = 16;  // of one
    static constexpr std::size_t most_of_name = 255;   // octets
    static constexpr Duration believed_for = std::chrono::days(1);  // at most, whatever it says

    /// True: what addresses() answers may have changed. Past `most` gateways no further one is believed.
    bool hear(Announcement announcement, WallTime now);
    /// True as well.
    bool expire(WallTime now);
    std::vector<IpAddress> addresses() const;

private:
    std::map<std::string, Announcement> known_;  // by node
};

}  // namespace sallyport::share
