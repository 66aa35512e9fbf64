#include "egress/book.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace sallyport::egress {

namespace {

std::size_t index(Family family) { return static_cast<std::size_t>(family); }

}  // namespace

void Book::apply(Policy policy) {
    policy_ = std::move(policy);
    configured_ = Pins(policy_.pins);
    holders_.clear();
    if (!policy_.exclusive) return;
    // Of several that shared an address until now, the first to have it keeps it.
    std::vector<std::tuple<WallTime, std::string, IpAddress>> all;
    for (const auto& [who, lines] : leases_) {
        for (const auto& line : lines) {
            if (line) all.emplace_back(line->since, who, line->source);
        }
    }
    std::ranges::sort(all);
    for (const auto& [since, who, source] : all) holders_.try_emplace(source, who);
}

bool Book::taken(const std::string& who, const IpAddress& source) const {
    if (!policy_.exclusive) return false;
    if (configured_.holds(source) || manual_.holds(source)) return true;
    const auto holder = holders_.find(source);
    return holder != holders_.end() && holder->second != who;
}

bool Book::usable(const std::string& who, const IpAddress& source) const {
    return policy_.pool.contains(source) && !taken(who, source);
}

std::optional<IpAddress> Book::pin_of(const Person& person, Family family) const {
    if (const auto source = configured_.find(person, family)) return source;
    return manual_.find(person, family);
}

Choice Book::choose_for(const Person& person, std::string& who) const {
    Choice out;
    for (const Family family : families) {
        auto& source = out.sources.of(family);
        Why& why = out.why[index(family)];
        source = pin_of(person, family);
        if (source) {
            why = Why::pin;
            continue;
        }
        if (policy_.pool.size(family) == 0) continue;
        if (who.empty()) who = person.identity();
        const auto lines = leases_.find(who);
        if (lines != leases_.end() && lines->second[index(family)] &&
            usable(who, lines->second[index(family)]->source)) {
            source = lines->second[index(family)]->source;
            why = Why::kept;
        } else {
            source = policy_.pool.choose(who, family, [&](const IpAddress& one) { return taken(who, one); });
            why = source ? Why::hash : Why::exhausted;
        }
    }
    return out;
}

Choice Book::look(const Person& person) const {
    std::string who;
    return choose_for(person, who);
}

Choice Book::choose(const Person& person, WallTime now) {
    std::string who;
    Choice choice = choose_for(person, who);
    for (const Family family : families) {
        const Why why = choice.why[index(family)];
        if (why == Why::hash) give(who, {*choice.sources.of(family), now, now});
        if (why != Why::kept) continue;
        Lease& line = *leases_.find(who)->second[index(family)];
        if (now - line.seen < seen_to) continue;
        line.seen = now;
        changes_.push_back({who, family, false, line});
    }
    return choice;
}

void Book::give(const std::string& who, const Lease& lease) {
    if (leases_.size() >= most_leases && !leases_.contains(who)) return;
    auto& line = leases_[who][index(family_of(lease.source))];
    if (policy_.exclusive) {
        if (line) let_go(who, line->source);
        holders_.insert_or_assign(lease.source, who);
    }
    line = lease;
    changes_.push_back({who, family_of(lease.source), false, lease});
}

// Not what somebody else holds, of two who shared it before it was exclusive.
void Book::let_go(const std::string& who, const IpAddress& source) {
    const auto holder = holders_.find(source);
    if (holder != holders_.end() && holder->second == who) holders_.erase(holder);
}

void Book::drop(const std::string& who, Family family) {
    const auto lines = leases_.find(who);
    if (lines == leases_.end() || !lines->second[index(family)]) return;
    let_go(who, lines->second[index(family)]->source);
    lines->second[index(family)].reset();
    changes_.push_back({who, family, false, std::nullopt});
    const auto nothing = [](const auto& line) { return !line; };
    if (std::ranges::all_of(lines->second, nothing)) leases_.erase(lines);
}

bool Book::hear(const std::string& who, const Lease& lease) {
    if (!policy_.pool.contains(lease.source)) return false;
    const Family family = family_of(lease.source);
    const auto known = leases_.find(who);
    if (known != leases_.end()) {
        const auto& line = known->second[index(family)];
        if (line && usable(who, line->source) &&
            std::tie(line->since, line->source) <= std::tie(lease.since, lease.source))
            return false;
    }
    const auto holder = holders_.find(lease.source);
    if (policy_.exclusive && holder != holders_.end() && holder->second != who) {
        const std::string other = holder->second;
        const Lease& theirs = *leases_.find(other)->second[index(family)];
        if (std::tie(theirs.since, other) <= std::tie(lease.since, who)) return false;
        drop(other, family);
    }
    give(who, lease);
    return true;
}

// The newer holds, whosever clock is ahead: what an administrator says now is newer than what is known of the same.
WallTime Book::after_what_is_known(const Key& key, WallTime now) const {
    constexpr std::chrono::milliseconds least{1};  // that lines tell apart
    const auto known = by_hand_.find(key);
    if (known != by_hand_.end()) return std::max(now, known->second.lease.since + least);
    const auto gone = gone_.find(key);
    return gone == gone_.end() ? now : std::max(now, gone->second + least);
}

bool Book::pin(const Pin& pin, WallTime now) {
    return put(pin, after_what_is_known({pin.subject(), family_of(pin.source)}, now));
}

bool Book::put(const Pin& pin, WallTime since) {
    const Key key{pin.subject(), family_of(pin.source)};
    const auto known = by_hand_.find(key);
    if (known == by_hand_.end() && by_hand_.size() >= most_pins) return false;
    if (known != by_hand_.end()) manual_.remove(known->second.pin);
    const Pinned made{pin, {pin.source, since, since}};
    by_hand_.insert_or_assign(key, made);
    manual_.add(pin);
    gone_.erase(key);
    changes_.push_back({key.first, key.second, true, made.lease});
    return true;
}

bool Book::hear_pin(const Pin& pin, const Lease& lease) {
    const Key key{pin.subject(), family_of(pin.source)};
    const auto known = by_hand_.find(key);
    if (known != by_hand_.end() && known->second.lease.since >= lease.since) return false;
    const auto gone = gone_.find(key);
    if (gone != gone_.end() && gone->second > lease.since) return false;
    return put(pin, lease.since);
}

bool Book::unpin(const std::string& subject, Family family, WallTime now) {
    const Key key{subject, family};
    return by_hand_.contains(key) && hear_unpin(subject, family, after_what_is_known(key, now));
}

bool Book::hear_unpin(const std::string& subject, Family family, WallTime since) {
    const Key key{subject, family};
    const auto known = by_hand_.find(key);
    if (known != by_hand_.end()) {
        if (known->second.lease.since > since) return false;
        manual_.remove(known->second.pin);
        by_hand_.erase(known);
    } else if (gone_.size() >= most_pins || (gone_.contains(key) && gone_.at(key) >= since)) {
        return false;
    }
    gone_.insert_or_assign(key, since);
    changes_.push_back({subject, family, true, std::nullopt, since});
    return true;
}

std::vector<Book::Pinned> Book::pinned() const {
    std::vector<Pinned> out;
    for (const auto& [key, pinned] : by_hand_) out.push_back(pinned);
    return out;
}

void Book::expire(WallTime now) {
    std::vector<std::pair<std::string, Family>> over;
    for (const auto& [who, lines] : leases_) {
        for (const Family family : families) {
            const auto& line = lines[index(family)];
            if (line && now - line->seen > policy_.remember_for) over.emplace_back(who, family);
        }
    }
    for (const auto& [who, family] : over) drop(who, family);
    expire_gone(now);
}

void Book::expire_gone(WallTime now) {
    std::erase_if(gone_, [&](const auto& one) {
        const bool over = now - one.second > gone_for;
        if (over) changes_.push_back({one.first.first, one.first.second, true, std::nullopt});
        return over;
    });
}

}  // namespace sallyport::egress
