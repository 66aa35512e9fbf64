#include "guard/table.hpp"

#include <algorithm>
#include <numeric>

namespace sallyport::guard {

namespace {

bool holds(const Network& outer, const Network& inner) {
    return outer.mapped_bits() <= inner.mapped_bits() && outer.contains(inner.address());
}

bool goes_by_client(const Entry& entry) { return entry.verdict == Verdict::ban && is_one_client(entry.who); }

telemetry::Protocol foremost_protocol(const Count& count) {
    return static_cast<telemetry::Protocol>(std::ranges::max_element(count.protocols) - count.protocols.begin());
}

std::string tally(const Count& count) {
    std::string out;
    for (std::size_t i = 0; i < count.signs.size(); ++i) {
        if (count.signs[i] != 0)
            out += (out.empty() ? "" : ", ") + std::string(sign_names[i]) + " " + std::to_string(count.signs[i]);
    }
    out += " (";
    const std::size_t before = out.size();
    for (std::size_t i = 0; i < count.protocols.size(); ++i) {
        if (count.protocols[i] != 0)
            out += (out.size() == before ? "" : ", ") + std::string(telemetry::protocol_names[i]);
    }
    return out + ")";
}

}  // namespace

Table::Table(std::string node, Limits limits) : node_(std::move(node)), limits_(limits), window_(limits.signs) {}

void Table::apply(Policy policy) {
    policy_ = std::move(policy);
    lists_stale_ = true;
    for (const Network& network : policy_.never_ban) lift_within(network);
}

bool Table::is_exempt(const IpAddress& address) const {
    return address.is_unspecified() || lists().allowed.contains(address);
}

void Table::suspect(const Suspicion& sign) {
    expire(sign.time);
    const ClientKey client(sign.client);
    if (client.is_nobody() || clients_.contains(client) || is_exempt(sign.client)) return;
    const Count count = window_.add(client, sign);
    if (count.points <= policy_.suspicious_per_minute * points_of_one) return;
    window_.forget(client);
    put({.who = client.network(),
         .since = sign.time,
         .expires = sign.time + policy_.ban_for,
         .reason = "within a minute: " + tally(count),
         .protocol = foremost_protocol(count),
         .count = std::accumulate(count.signs.begin(), count.signs.end(), 0U),
         .node = node_});
}

// A wider network may be banned around exempt addresses: they stay exempt.
std::optional<std::string> Table::forbids_ban(const Network& who) const {
    const bool multicast = !who.address().is_v4() && who.address().bytes()[0] == 0xFF;
    if (multicast || who.address().is_unspecified()) return who.to_string() + " is nobody's address, or everybody's";
    const Network* exempt = lists().allowed.match(who.address());
    if (exempt == nullptr || !holds(*exempt, who)) return std::nullopt;
    if (networks_.contains(*exempt))
        return who.to_string() + " is allowed by the entry " + exempt->to_string() + "; remove that first";
    return who.to_string() + " is never banned: " + exempt->to_string() +
           " is in never_ban, or a target's, a trusted proxy's or a gateway's own";
}

Result<void> Table::ban(const Network& who, SteadyTime expires, std::string reason, SteadyTime now) {
    Entry entry{.who = widened(who),
                .origin = Origin::manual,
                .since = now,
                .expires = expires,
                .reason = std::move(reason),
                .node = node_};
    if (auto why_not = forbids_ban(entry.who)) return fail(std::move(*why_not));
    if (!has_room(entry)) return fail("the lists are full: " + std::to_string(limits_.lists) + " entries");
    put(std::move(entry));
    return {};
}

Result<void> Table::allow(const Network& who, SteadyTime expires, std::string reason, SteadyTime now) {
    Entry entry{.who = widened(who),
                .verdict = Verdict::allow,
                .origin = Origin::manual,
                .since = now,
                .expires = expires,
                .reason = std::move(reason),
                .node = node_};
    if (!has_room(entry)) return fail("the lists are full: " + std::to_string(limits_.lists) + " entries");
    put(std::move(entry));
    return {};
}

bool Table::remove(const Network& who) { return take_away(widened(who), Change::What::lifted); }

bool Table::learn(Entry entry, SteadyTime now) {
    entry.who = widened(entry.who);
    if (entry.expires <= now || !has_room(entry)) return false;
    if (entry.verdict == Verdict::ban && forbids_ban(entry.who)) return false;
    const Entry* present = at(entry.who);
    if (present != nullptr && present->verdict == entry.verdict && present->since >= entry.since) return false;
    put(std::move(entry));
    return true;
}

void Table::expire(SteadyTime now) {
    window_.expire(now);
    while (!terms_.empty() && terms_.begin()->first <= now) take_away(terms_.begin()->second, Change::What::expired);
}

const Lists& Table::lists() const {
    if (!std::exchange(lists_stale_, false)) return lists_;
    lists_ = {NetworkSet(networks(Verdict::ban)), NetworkSet(networks(Verdict::allow))};
    return lists_;
}

std::vector<Network> Table::networks(Verdict verdict) const {
    std::vector<Network> out = verdict == Verdict::allow ? policy_.never_ban : policy_.always_ban;
    if (verdict == Verdict::allow) {
        for (const char* own : {"127.0.0.1", "::1"}) out.push_back(*Network::parse(own));
    }
    for (const auto& [network, entry] : networks_) {
        if (entry.verdict == verdict) out.push_back(network);
    }
    return out;
}

std::vector<BannedClient> Table::clients() const {
    std::vector<BannedClient> out;
    out.reserve(clients_.size());
    for (const auto& [client, entry] : clients_) out.push_back({client, entry.expires});
    return out;
}

const Entry* Table::find(const IpAddress& address) const {
    const Entry* ban = nullptr;
    for (const auto& [network, entry] : networks_) {
        if (!network.contains(address)) continue;
        if (entry.verdict == Verdict::allow) return &entry;
        ban = &entry;
    }
    const auto client = clients_.find(ClientKey(address));
    return client != clients_.end() ? &client->second : ban;
}

std::vector<Entry> Table::entries(std::size_t most) const {
    std::vector<Entry> out;
    for (const auto& [network, entry] : networks_) {
        if (out.size() < most) out.push_back(entry);
    }
    for (const auto& [client, entry] : clients_) {
        if (out.size() == most) break;
        out.push_back(entry);
    }
    return out;
}

const Entry* Table::at(const Network& network) const {
    const Network who = widened(network);
    if (const auto found = networks_.find(who); found != networks_.end()) return &found->second;
    if (!is_one_client(who)) return nullptr;
    const auto found = clients_.find(ClientKey(who.address()));
    return found == clients_.end() ? nullptr : &found->second;
}

bool Table::has_room(const Entry& entry) const {
    return goes_by_client(entry) || networks_.size() < limits_.lists || networks_.contains(entry.who);
}

// One entry a network: another term or reason for the same verdict replaces it without a word of its own.
void Table::put(Entry entry) {
    if (entry.reason.size() > Entry::max_reason) entry.reason.resize(Entry::max_reason);
    if (const Entry* present = at(entry.who); present != nullptr && present->verdict == entry.verdict) erase(entry.who);
    if (entry.verdict == Verdict::allow) lift_within(entry.who);
    if (entry.expires != Entry::never) terms_.emplace(entry.expires, entry.who);
    changes_.push_back({Change::What::added, entry});
    if (goes_by_client(entry)) {
        if (clients_.size() == limits_.bans) make_room();
        clients_.insert_or_assign(ClientKey(entry.who.address()), std::move(entry));
    } else {
        allows_ += entry.verdict == Verdict::allow ? 1 : 0;
        lists_stale_ = true;
        networks_.insert_or_assign(changes_.back().entry.who, std::move(entry));
    }
}

// The ban that would expire first goes; of those that never expire, any.
void Table::make_room() {
    const auto first = std::ranges::find_if(terms_, [this](const auto& term) {
        return is_one_client(term.second) && clients_.contains(ClientKey(term.second.address()));
    });
    take_away(first == terms_.end() ? clients_.begin()->second.who : first->second, Change::What::displaced);
}

std::optional<Entry> Table::erase(const Network& who) {
    std::optional<Entry> erased;
    if (const auto found = networks_.find(who); found != networks_.end()) {
        erased = std::move(found->second);
        networks_.erase(found);
        allows_ -= erased->verdict == Verdict::allow ? 1 : 0;
        lists_stale_ = true;
    } else if (is_one_client(who)) {
        const auto client = clients_.find(ClientKey(who.address()));
        if (client == clients_.end()) return std::nullopt;
        erased = std::move(client->second);
        clients_.erase(client);
    }
    if (erased) terms_.erase({erased->expires, erased->who});
    return erased;
}

bool Table::take_away(Network who, Change::What why) {
    std::optional<Entry> erased = erase(who);
    if (!erased) return false;
    changes_.push_back({why, std::move(*erased)});
    return true;
}

// Bans of single clients and of networks that lie within. A wider ban stays: the allow entry cuts its hole by itself.
void Table::lift_within(const Network& who) {
    std::vector<Network> lifted;
    if (is_one_client(who)) {
        if (clients_.contains(ClientKey(who.address()))) lifted.push_back(who);
    } else {
        for (const auto& [client, entry] : clients_) {
            if (holds(who, entry.who)) lifted.push_back(entry.who);
        }
    }
    for (const auto& [network, entry] : networks_) {
        if (entry.verdict == Verdict::ban && holds(who, network)) lifted.push_back(network);
    }
    for (const Network& one : lifted) take_away(one, Change::What::lifted);
}

}  // namespace sallyport::guard
