// The guard within the running gateway: who is never banned, what is told of bans, and what administrators do with
// them.
#include "cli/daemon.hpp"

#include "cli/shapes.hpp"
#include "config/units.hpp"
#include "io/sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::cli {

using nlohmann::json;
using telemetry::Level;

namespace {

constexpr std::size_t most_listed = 10'000;
constexpr std::size_t most_suspects = 10;

}  // namespace

// After the gates: their lookouts are what it goes by.
void Daemon::post_guard() {
    guard_.emplace(*loop_,
                   guard::Guard::Options{.node = node_,
                                         .publish =
                                             [this](const std::shared_ptr<const guard::Bans>& bans) {
                                                 for (auto& data : data_loops_) data->adopt(bans);
                                             },
                                         .changed = [this](const guard::Change& change) { tell_of_ban(change); },
                                         .trouble = [this](const std::string& what) { event(Level::error, what); }});
    for (auto& data : data_loops_) guard_->watch(data->gate().guard());
    guard_->apply(guard_policy());
    remember_bans();
}

// Without its memory the gateway goes on.
void Daemon::remember_bans() {
    auto opened = store::Database::open(config().node.state_dir.value, std::chrono::system_clock::now());
    if (!opened) return event(Level::error, opened.error().message + "; bans will not outlive a restart");
    if (!opened->set_aside.empty()) event(Level::error, opened->set_aside);
    database_ = std::move(opened->database);
    guard_entries_.emplace(*database_);
    guard_->remember(*guard_entries_);
}

guard::Policy Daemon::guard_policy() const {
    const config::Config& present = config();
    guard::Policy policy{.suspicious_per_minute = present.guard.suspicious_per_minute,
                         .ban_for = present.guard.ban_for,
                         .never_ban = {}};
    for (const IpAddress& own : io::own_addresses()) policy.never_ban.emplace_back(own, 128);
    const auto never = [&policy](const std::vector<config::Located<Network>>& networks) {
        for (const auto& network : networks) policy.never_ban.push_back(network.value);
    };
    never(present.guard.never_ban);
    never(present.listen.proxy_from);
    never(present.listen.trusted_proxies);
    const auto names = names_ ? names_->table() : nullptr;
    for (const auto& service : present.services) {
        for (const auto& target : service.targets) {
            if (target.value.kind == config::Target::Kind::address)
                policy.never_ban.emplace_back(target.value.address, 128);
            if (target.value.kind != config::Target::Kind::host || names == nullptr) continue;
            for (const IpAddress& address : names->find(target.value.text)) policy.never_ban.emplace_back(address, 128);
        }
    }
    if (share_) {
        for (const IpAddress& address : share_->gateways().addresses()) policy.never_ban.emplace_back(address, 128);
    }
    for (const auto& network : present.guard.always_ban) policy.always_ban.push_back(network.value);
    return policy;
}

void Daemon::tell_of_ban(const guard::Change& change) {
    constexpr std::array<std::string_view, 4> words{"added", "lifted", "expired", "displaced"};
    const guard::Entry& entry = change.entry;
    const bool added = change.what == guard::Change::What::added;
    std::vector<telemetry::Field> fields{{"address", entry.address()}, {"origin", std::string(name(entry.origin))}};
    if (!added) fields.push_back({"how", std::string(words[static_cast<std::size_t>(change.what)])});
    if (added && entry.expires != guard::Entry::never)
        fields.push_back({"until", to_rfc3339(loop_->wall_at(entry.expires))});
    if (!entry.reason.empty()) fields.push_back({"why", entry.reason});
    event(added && entry.verdict == guard::Verdict::ban ? Level::warn : Level::info,
          std::string(name(entry.verdict)) + (added ? ".added" : ".lifted"), std::move(fields));
}

// Bans come before everything that the configuration decides.
void Daemon::explain_ban(const IpAddress& client, gate::Explanation& explanation) const {
    const auto step = [&](std::string rule, std::string result) {
        explanation.trail.insert(explanation.trail.begin(),
                                 {.rule = std::move(rule), .place = {}, .result = std::move(result)});
    };
    const guard::Entry* entry = guard_->table().find(client);
    const auto always = [&client](const auto& network) { return network.value.contains(client); };
    const bool allowed = guard_->table().lists().allowed.contains(client);
    const bool listed = std::ranges::any_of(config().guard.always_ban, always);
    if (entry != nullptr && entry->verdict == guard::Verdict::allow) step("allow " + entry->address(), "match");
    if (allowed || (entry == nullptr && !listed)) return;
    step(entry == nullptr ? "always_ban" : "ban " + entry->address() + ", " + entry->reason, "match");
    explanation.reason = telemetry::Reason::ban_active;
    explanation.target.clear();
    explanation.leg.clear();
}

json Daemon::bans() {
    json bans = json::array();
    json allows = json::array();
    for (const guard::Entry& entry : guard_->table().entries(most_listed))
        (entry.verdict == guard::Verdict::ban ? bans : allows).push_back(to_json(entry, *loop_));
    return {{"bans", std::move(bans)}, {"allows", std::move(allows)}, {"total", guard_->table().bans()}};
}

json Daemon::suspects() {
    json rows = json::array();
    for (const auto& suspect : guard_->table().window().top(most_suspects)) rows.push_back(to_json(suspect));
    return {{"suspects", std::move(rows)}, {"threshold", config().guard.suspicious_per_minute}};
}

Result<json, admin::Problem> Daemon::set_ban(const admin::BanQuery& query) {
    Duration lasts = query.allow ? Duration::max() : config().guard.ban_for;
    if (query.lasts == "ever") {
        lasts = Duration::max();
    } else if (!query.lasts.empty()) {
        const auto parsed = config::parse_duration(query.lasts);
        if (!parsed || *parsed <= Duration{0})
            return std::unexpected(admin::Problem{
                .status = 400,
                .detail = "for is \"" + query.lasts + "\"; it takes a duration such as \"1h\", or \"ever\""});
        lasts = *parsed;
    }
    const auto made =
        query.allow ? guard_->allow(query.who, lasts, query.reason) : guard_->ban(query.who, lasts, query.reason);
    if (!made) return std::unexpected(admin::Problem{.status = 409, .detail = made.error().message});
    return to_json(*made, *loop_);
}

Result<json, admin::Problem> Daemon::remove_ban(const admin::BanQuery& query) {
    if (guard_->remove(query.who)) return json{{"removed", 1}};
    return std::unexpected(admin::Problem{
        .status = 404, .detail = "no entry stands for " + query.who.to_string() + "; see: sallyport bans list"});
}

}  // namespace sallyport::cli
