#include "cli/turn_explain.hpp"

#include "cli/subjects.hpp"
#include "cli/turn_settings.hpp"
#include "io/sockets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>

namespace sallyport::cli {

namespace {

constexpr std::string_view peer_word = "?peer=";

using telemetry::Reason;

// A name may bear any number, and the clock's type ends in the year 2262.
WallTime time_of(std::int64_t seconds) {
    constexpr auto last = std::chrono::floor<std::chrono::seconds>(WallTime::max().time_since_epoch());
    return WallTime(std::min(std::chrono::seconds(seconds), last));
}

// By an account, or by the time that a name carries: as turn::Credentials finds it.
bool explain_user(const config::Config& config, const turn::Settings& settings, const std::string& user, WallTime now,
                  gate::Explanation& out) {
    const auto found = settings.credentials.find(user, turn::PasswordAlgorithm::md5, now);
    for (const auto& account : config.turn_users) {
        if (account.name.value != user) continue;
        out.service = "turn.user " + user;
        out.trail.push_back({"turn.user " + user, account.name.place, "match"});
        return true;
    }
    out.trail.push_back({"turn.user", {}, "no match"});
    const auto& secrets = config.turn.shared_secret;
    const config::Place place = secrets.empty() ? config::Place{} : secrets.front().place;
    const auto expires = turn::expiry_of(user);
    const std::string result = found     ? "match, until " + to_rfc3339(time_of(*expires))
                               : expires ? "its time is over, or there is no secret"
                                         : "no match: a time-limited name is unix-time:name";
    out.trail.push_back({"shared_secret", place, result});
    if (found) out.service = "shared_secret";
    return found.has_value();
}

bool explain_peer(const turn::Settings& settings, const IpAddress& peer, gate::Explanation& out) {
    using Verdict = turn::PeerPolicy::Verdict;
    const auto own = io::own_addresses();
    const auto ruling = settings.peers.rule_on(peer, std::ranges::find(own, peer) != own.end());
    const std::string rule = ruling.rule != nullptr ? *ruling.rule : std::string("no rule denies it");
    constexpr std::array<std::string_view, 3> results{"match", "only relays of this node", "not admitted"};
    out.trail.push_back(
        {"peer " + peer.to_string() + ": " + rule, {}, std::string(results[static_cast<std::size_t>(ruling.verdict)])});
    if (ruling.verdict != Verdict::denied) return true;
    out.detail = peer.to_string() + ": " + rule;
    return false;
}

}  // namespace

Result<gate::Explanation> explain_turn(const config::Config& config, const turn::Settings& settings,
                                       std::string_view subject, WallTime now) {
    const std::string_view rest = turn_subject.rest_of(subject);
    const auto question = rest.find(peer_word);
    const std::string user(rest.substr(0, question));
    std::optional<IpAddress> peer;
    if (question != std::string_view::npos) peer = IpAddress::parse(rest.substr(question + peer_word.size()));
    if (user.empty() || (question != std::string_view::npos && !peer))
        return fail("a subject of TURN is turn:USER or turn:USER?peer=ADDRESS");
    gate::Explanation out;
    out.protocol = "turn";
    out.looked_for = user;
    const config::Turn& turn = config.turn;
    if (!has_turn_listener(config))
        return fail("nobody is relayed here: [turn] has no listener (write udp = \":3478\")");
    if (!explain_user(config, settings, user, now, out)) {
        out.reason = Reason::turn_credentials;
        out.detail = "unknown user, or a time-limited one whose time is over";
    } else if (peer && !explain_peer(settings, *peer, out)) {
        out.reason = Reason::turn_peer_denied;
    } else {
        const auto& ports = turn.relay_ports.value;
        out.target = peer ? peer->to_string() : std::to_string(ports.first) + '-' + std::to_string(ports.last);
        if (turn.allocations_per_user != 0)
            out.trail.push_back({"allocations_per_user " + std::to_string(turn.allocations_per_user), {}, "limit"});
    }
    return out;
}

}  // namespace sallyport::cli
