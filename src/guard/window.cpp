#include "guard/window.hpp"

#include <algorithm>

namespace sallyport::guard {

std::uint64_t Window::credential_of(ClientKey client, std::uint64_t credential) {
    return credential == 0 ? 0 : credential ^ std::hash<ClientKey>{}(client);
}

Count Window::add(ClientKey client, const Suspicion& sign) {
    expire(sign.time);
    const std::uint64_t credential = credential_of(client, sign.credential);
    const bool known = credential != 0 && !credentials_.insert(credential).second;
    if (known) {
        const auto found = counts_.find(client);
        return found == counts_.end() ? Count{} : found->second.count;
    }
    if (events_.size() == capacity_) drop_oldest();
    events_.push_back({latest_, client, credential, ++last_number_, sign.sign, sign.protocol});
    Counted& counted = counts_.try_emplace(client, Counted{{}, last_number_}).first->second;
    counted.count.points += points(sign.sign);
    ++counted.count.signs[static_cast<std::size_t>(sign.sign)];
    ++counted.count.protocols[index(sign.protocol)];
    return counted.count;
}

void Window::expire(SteadyTime now) {
    latest_ = std::max(latest_, now);
    while (!events_.empty() && latest_ - events_.front().time >= length) drop_oldest();
}

void Window::drop_oldest() {
    const Event oldest = events_.front();
    events_.pop_front();
    if (oldest.credential != 0) credentials_.erase(oldest.credential);
    const auto found = counts_.find(oldest.client);
    if (found == counts_.end() || found->second.since > oldest.number) return;  // forgotten meanwhile
    Count& count = found->second.count;
    count.points -= points(oldest.sign);
    --count.signs[static_cast<std::size_t>(oldest.sign)];
    --count.protocols[index(oldest.protocol)];
    if (count.points == 0) counts_.erase(found);
}

std::vector<Window::Suspect> Window::top(std::size_t most) const {
    std::vector<Suspect> all;
    all.reserve(counts_.size());
    for (const auto& [client, counted] : counts_) all.push_back({client, counted.count});
    const auto worse = [](const Suspect& a, const Suspect& b) {
        return a.count.points != b.count.points ? a.count.points > b.count.points : a.client < b.client;
    };
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(most, all.size()));
    std::ranges::partial_sort(all, end, worse);
    all.erase(end, all.end());
    return all;
}

}  // namespace sallyport::guard
