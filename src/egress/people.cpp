#include "egress/people.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::egress {

std::vector<IpAddress> People::set_leases(std::size_t file, std::span<const DhcpLease> leases) {
    std::vector<IpAddress> changed;
    auto& known = leases_[file];
    for (const DhcpLease& lease : leases) {
        const auto at = known.find(lease.address);
        if (at == known.end() && known.size() >= most) continue;
        if (at == known.end() || at->second.mac != lease.mac) changed.push_back(lease.address);
        known.insert_or_assign(lease.address, Leased{lease.mac, lease.until});
    }
    return changed;
}

bool People::begin_stay(const IpAddress& address, Stay stay) {
    const auto at = stays_.find(address);
    if (at == stays_.end()) {
        if (stays_.size() >= most) return false;
        stay.noted = stay.heard;
        stays_.emplace(address, std::move(stay));
        return true;
    }
    const Stay& known = at->second;
    const bool news = known.user != stay.user || known.mac != stay.mac || known.session != stay.session ||
                      known.server != stay.server || stay.heard - known.noted >= noted_every;
    stay.noted = news ? stay.heard : known.noted;
    at->second = std::move(stay);
    return news;
}

std::vector<IpAddress> People::end_stays(const IpAddress& server, const std::string& session) {
    std::vector<IpAddress> gone;
    std::erase_if(stays_, [&](const auto& one) {
        const Stay& stay = one.second;
        const bool ends = stay.server == server && (session.empty() || stay.session == session);
        if (ends) gone.push_back(one.first);
        return ends;
    });
    return gone;
}

std::vector<IpAddress> People::expire(WallTime now) {
    std::vector<IpAddress> gone;
    const auto drop_from = [&gone](auto& table, auto is_over) {
        std::erase_if(table, [&](const auto& one) {
            const bool over = is_over(one.second);
            if (over) gone.push_back(one.first);
            return over;
        });
    };
    for (auto& [file, leases] : leases_) drop_from(leases, [now](const Leased& one) { return one.until <= now; });
    drop_from(stays_, [now](const Stay& one) { return now - one.heard > stay_holds; });
    return gone;
}

Person People::behind(const IpAddress& address) const {
    Person person{.address = address};
    if (const auto stay = stays_.find(address); stay != stays_.end()) {
        person.user = stay->second.user;
        person.mac = stay->second.mac;
    }
    for (const auto& [file, leases] : leases_) {
        if (!person.mac.empty()) break;
        if (const auto lease = leases.find(address); lease != leases.end()) person.mac = lease->second.mac;
    }
    return person;
}

std::vector<IpAddress> People::addresses() const {
    std::vector<IpAddress> out;
    for (const auto& [address, stay] : stays_) out.push_back(address);
    for (const auto& [file, leases] : leases_) {
        for (const auto& [address, lease] : leases) out.push_back(address);
    }
    std::ranges::sort(out);
    const auto [first, last] = std::ranges::unique(out);
    out.erase(first, last);
    return out;
}

}  // namespace sallyport::egress
