#include "diagnose/scene.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <tuple>

namespace sallyport::diagnose {

namespace {

constexpr double episode_gap = 60;  // seconds without a SYN that part two episodes
constexpr std::size_t most_looked_at = 4096;  // later flows of a client among which its next success is sought
constexpr double legs_apart = 1;  // seconds that a NAT may need, and clocks of two places of capture may differ
constexpr double longest_patience = 75;  // seconds from the last SYN to what is tried instead

// Systems send with one of these; what has passed a router has less.
bool is_unrouted(std::uint8_t time_to_live) { return time_to_live == 64 || time_to_live == 128 || time_to_live == 255; }

Time start_of(const Flow& flow) { return flow.of(Side::client).first_time; }
std::tuple<IpAddress, Time> client_and_start(const Flow* flow) { return {flow->client.ip, start_of(*flow)}; }
bool is_tcp(const Flow& flow) { return flow.protocol == packet::protocol::tcp; }

// Has this side heard anything of the other one within the capture?
bool answers(const OneWay& sent) { return sent.acknowledges && (sent.opened || sent.hears); }

// One connection on both sides of a NAT keeps its initial sequence number and its server.
bool is_other_leg(const Flow& a, const Flow& b) {
    const auto& one = a.of(Side::client);
    const auto& two = b.of(Side::client);
    return one.initial_sequence == two.initial_sequence && a.server == b.server && a.client.ip != b.client.ip &&
           one.time_to_live != two.time_to_live &&  // a router in between; floods have one number, and no router
           std::abs(seconds(one.first_time, two.first_time)) < legs_apart;
}

}  // namespace

void Scene::saw_host(const IpAddress& host, std::uint8_t time_to_live) {
    if (hosts_.size() < max_hosts) hosts_.emplace(host, time_to_live);
}

void Scene::saw_name(const std::string& name, const IpAddress& address) {
    if (names_.size() < max_names) names_.emplace(address, name);
}

bool Scene::same_name(const IpAddress& a, const IpAddress& b) const {
    for (auto at = names_.lower_bound({a, ""}); at != names_.end() && at->first == a; ++at) {
        if (names_.contains({b, at->second})) return true;
    }
    return false;
}

std::string Scene::name_of(const IpAddress& address) const {
    const auto found = names_.lower_bound({address, ""});
    return found == names_.end() || found->first != address ? std::string() : found->second;
}

void Scene::find_twins() {
    constexpr std::ptrdiff_t most_alike =
        8;  // flows of one sequence number that are compared: scanners always take the same
    std::unordered_multimap<std::uint32_t, const Flow*> seen;
    flows.each([&](Flow& flow) {
        if (!is_tcp(flow) || !flow.of(Side::client).opened) return;
        const auto [begin, end] = seen.equal_range(flow.of(Side::client).initial_sequence);
        const auto first =
            std::find_if(begin, end, [&](const auto& entry) { return is_other_leg(*entry.second, flow); });
        if (first != end) {
            flow.twin_of = first->second->number;
        } else if (std::distance(begin, end) < most_alike) {
            seen.emplace(flow.of(Side::client).initial_sequence, &flow);
        }
    });
}

void Scene::settle() {
    find_twins();
    std::vector<const Flow*> all;
    flows.each([&](const Flow& flow) {
        if (!is_tcp(flow)) return;
        all.push_back(&flow);
        if (flow.of(Side::client).opened && !flow.is_twin()) by_client_.push_back(&flow);
    });
    std::ranges::sort(all, {}, [](const Flow* flow) {
        return std::tuple(flow->client.ip, flow->server.ip, flow->server.port, flow->vantage, start_of(*flow),
                          flow->number);
    });
    std::ranges::sort(by_client_, {}, client_and_start);
    for (auto begin = all.begin(); begin != all.end();) {
        const auto end = std::find_if(begin, all.end(), [&](const Flow* flow) {
            return flow->client.ip != (*begin)->client.ip || flow->server.ip != (*begin)->server.ip;
        });
        judge_pair({begin, end});
        begin = end;
    }
}

// All flows of one client with one server.
void Scene::judge_pair(std::span<const Flow* const> pair) {
    bool one_sided = false, two_sided = false;
    for (const Flow* flow : pair) {
        const auto& client = flow->of(Side::client);
        const auto& server = flow->of(Side::server);
        // Acknowledging is answering: who does it alone is answering somebody who was not captured. A last word on a
        // connection that was there before the capture answers nobody.
        two_sided = two_sided || (client.packets > 0 && server.packets > 0);
        one_sided = one_sided || (answers(client) && !client.reset && server.packets == 0) ||
                    ((server.opened || answers(server)) && !server.reset && client.packets == 0);
        if (!client.opened || flow->is_twin()) continue;
        auto* approach = approaches_.empty() ? nullptr : &approaches_.back();
        if (approach == nullptr || approach->client != flow->client.ip || approach->server != flow->server.ip ||
            approach->port != flow->server.port || approach->vantage != flow->vantage) {
            approach = &approaches_.emplace_back();
            approach->client = flow->client.ip;
            approach->server = flow->server.ip;
            approach->port = flow->server.port;
            approach->vantage = flow->vantage;
        }
        approach->flows.push_back(flow);
    }
    any_two_sided_ = any_two_sided_ || two_sided;
    if (one_sided && !two_sided) one_sided_.insert({pair.front()->client.ip, pair.front()->server.ip});
}

Place Scene::place_of(const IpAddress& server, std::uint8_t client_time_to_live) const {
    const auto found = hosts_.find(server);
    const bool client_near = is_unrouted(client_time_to_live);
    const bool server_near = found != hosts_.end() && is_unrouted(found->second);
    if (client_near && server_near) return Place::unknown;  // one network, or nothing in between counts hops
    if (client_near) return Place::client;
    if (server_near) return Place::server;
    return found == hosts_.end() ? Place::unknown : Place::between;
}

bool Scene::one_sided(const IpAddress& client, const IpAddress& server) const {
    return all_one_sided() || one_sided_.contains({client, server}) || one_sided_.contains({server, client});
}

Scene::Tries Scene::tries(const Flow& flow) const {
    Tries out;
    flows.each_event(flow, [&](const Event& event) {
        if (event.kind != Event::Kind::syn || event.side != Side::client) return;
        out.times.push_back(event.time);
        out.packets.push_back(event.packet);
    });
    return out;
}

std::span<const Flow* const> Scene::of_client(const IpAddress& client, Time since) const {
    const auto begin = std::ranges::lower_bound(by_client_, std::tuple(client, since), {}, client_and_start);
    const auto end = std::ranges::upper_bound(by_client_, std::tuple(client, INT64_MAX), {}, client_and_start);
    return {begin, end};
}

IcmpTimes::IcmpTimes(const Scene& scene, const Approach& approach) {
    for (const Flow* flow : approach.flows) {
        bool answered = false;
        scene.flows.each_event(*flow,
                               [&](const Event& event) { answered = answered || event.kind == Event::Kind::icmp; });
        if (answered) begins_.push_back(start_of(*flow));
    }
    std::ranges::sort(begins_);
}

bool IcmpTimes::near(const Flow& flow) const {
    const Time begin = start_of(flow);
    const auto next = std::ranges::lower_bound(begins_, begin);
    const bool soon = next != begins_.end() && seconds(begin, *next) < episode_gap;
    return soon || (next != begins_.begin() && seconds(*std::prev(next), begin) < episode_gap);
}

std::optional<Rescue> find_rescue(const Scene& scene, const Flow& failed, Time first, Time last) {
    const double patience = std::max(longest_patience, 1.2 * seconds(first, last));
    const auto later = scene.of_client(failed.client.ip, last);
    for (const Flow* flow : later.first(std::min(later.size(), most_looked_at))) {
        const Time start = start_of(*flow);
        if (seconds(last, start) > patience) break;
        if (!flow->established || flow->vantage != failed.vantage || flow->number == failed.number) continue;
        const bool same_server = flow->server.ip == failed.server.ip;
        if (same_server && flow->server.port == failed.server.port) continue;
        if (!same_server && !scene.same_name(flow->server.ip, failed.server.ip)) continue;
        return Rescue{.flow = flow, .at = start};
    }
    return std::nullopt;
}

namespace {

bool ended_before(const Scene& scene, const Episode& episode, Time time) {
    const auto rescue = find_rescue(scene, *episode.flows.front(), episode.first, episode.last);
    return rescue && rescue->at < time;
}

}  // namespace

std::vector<Episode> episodes_of(const Scene& scene, const std::vector<const Flow*>& flows) {
    std::vector<Episode> out;
    for (const Flow* flow : flows) {
        const auto tries = scene.tries(*flow);
        if (tries.times.empty()) continue;
        const auto [first, last] = std::ranges::minmax(tries.times);
        const bool continues =
            !out.empty() && seconds(out.back().last, first) < episode_gap && !ended_before(scene, out.back(), first);
        if (!continues) out.push_back({.flows = {}, .first = first, .last = last});
        out.back().flows.push_back(flow);
        out.back().last = std::max(out.back().last, last);
    }
    return out;
}

}  // namespace sallyport::diagnose
