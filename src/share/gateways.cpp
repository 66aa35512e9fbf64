#include "share/gateways.hpp"

#include "base/text.hpp"
#include "share/line.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::share {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t most_of_announcement = 1024;  // octets: 16 addresses of IPv6 and the time have room

// Of what is left, up to the next blank.
std::string_view take_word(std::string_view& left) {
    const std::size_t end = std::min(left.find(' '), left.size());
    const std::string_view word = left.substr(0, end);
    left.remove_prefix(std::min(end + 1, left.size()));
    return word;
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= Gateways::most_of_name && std::ranges::none_of(name, is_control);
}

}  // namespace

bool can_be_announced(const IpAddress& address) {
    static const std::vector<Network> never{*Network::parse("127.0.0.0/8"),    *Network::parse("0.0.0.0/8"),
                                            *Network::parse("169.254.0.0/16"), *Network::parse("224.0.0.0/3"),
                                            *Network::parse("::/127"),         *Network::parse("fe80::/10"),
                                            *Network::parse("ff00::/8")};
    return std::ranges::none_of(never, [&address](const Network& one) {
        return one.address().is_v4() == address.is_v4() && one.contains(address);
    });
}

std::string announcement_line(const Announcement& announcement) {
    const auto ms = std::chrono::duration_cast<milliseconds>(announcement.until.time_since_epoch()).count();
    std::string out = std::to_string(ms);
    std::size_t count = 0;
    for (const IpAddress& address : announcement.addresses) {
        if (can_be_announced(address) && count++ < Gateways::most_addresses) out += " " + address.to_string();
    }
    return out;
}

std::optional<Announcement> parse_announcement(std::string_view node, std::string_view line) {
    if (!is_name(node) || line.size() > most_of_announcement) return std::nullopt;
    const auto until = time_of(take_word(line));
    if (!until) return std::nullopt;
    Announcement out{.node = std::string(node), .until = WallTime{milliseconds(*until)}, .addresses = {}};
    while (!line.empty()) {
        const auto address = IpAddress::parse(take_word(line));
        if (!address || !can_be_announced(*address) || out.addresses.size() == Gateways::most_addresses)
            return std::nullopt;
        out.addresses.push_back(*address);
    }
    return out;
}

bool Gateways::hear(Announcement announcement, WallTime now) {
    const WallTime latest = now + std::chrono::duration_cast<WallTime::duration>(believed_for);
    announcement.until = std::min(announcement.until, latest);
    if (announcement.until <= now) return known_.erase(announcement.node) != 0;
    const auto known = known_.find(announcement.node);
    if (known == known_.end() && known_.size() == most) return false;
    const bool changed = known == known_.end() || known->second.addresses != announcement.addresses;
    std::string node = announcement.node;
    known_.insert_or_assign(std::move(node), std::move(announcement));
    return changed;
}

bool Gateways::expire(WallTime now) {
    return std::erase_if(known_, [now](const auto& one) { return one.second.until <= now; }) != 0;
}

std::vector<IpAddress> Gateways::addresses() const {
    std::vector<IpAddress> out;
    for (const auto& [node, announcement] : known_)
        out.insert(out.end(), announcement.addresses.begin(), announcement.addresses.end());
    return out;
}

}  // namespace sallyport::share
