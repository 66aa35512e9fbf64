// The connectivity checks of ICE (RFC 8445): which pairs answered, who claimed which role, and one conclusion for each
// two hosts: SUCCESS, FAILED or ABORTED. What goes wrong on the way to a SUCCESS is harmless, and called so.
#include "diagnose/detectors/all.hpp"

#include "diagnose/glance/stun.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_checks = 100'000;
constexpr std::uint16_t role_conflict = 487;
constexpr std::uint32_t serious_tries = 3;  // unanswered checks of a pair that are a failure, not a beginning
constexpr double silence_after = 5;  // seconds without another check behind which it has been given up

using Role = StunGlance::Role;
using Hosts = std::pair<IpAddress, IpAddress>;  // the lower first
using Pair = std::pair<SocketAddress, SocketAddress>;  // likewise

struct Check {
    Pair pair{};
    Time first = 0, last = 0;
    std::uint32_t tries = 0;
    PacketNumber packet = 0;
    bool succeeded = false;
    bool conflict = false;
    bool nominates = false;
};

// What one host said of itself, first and last.
struct Roles {
    Role first = Role::none, last = Role::none;
};

enum class Conclusion : std::uint8_t { success, failed, aborted, open };

std::string_view name(Conclusion conclusion) {
    switch (conclusion) {
        case Conclusion::success: return "SUCCESS";
        case Conclusion::failed: return "FAILED";
        case Conclusion::aborted: return "ABORTED";
        case Conclusion::open: return "OPEN";
    }
    return {};
}

std::string_view name(Role role) {
    return role == Role::controlling ? "controlling" : role == Role::controlled ? "controlled" : "unknown";
}

// The checks between two hosts.
struct Session {
    std::map<Pair, std::uint32_t> tries;  // of each pair
    std::set<Pair> answered;
    std::vector<PacketNumber> packets;
    bool nominated = false;  // by a check that was answered
    bool media = false;  // on a pair that answered
    bool conflict = false;  // an agent was told 487
    bool harmless = false;  // one of the two got through elsewhere
    Roles low, high;
    Time begin = INT64_MAX, end = INT64_MIN;

    bool clash() const { return low.last != Role::none && low.last == high.last; }
    bool clashed() const { return conflict || (low.first != Role::none && low.first == high.first); }
};

class Ice : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        const auto& packet = sighting.packet;
        const auto message = packet.payload.size() >= 20 && std::to_integer<unsigned>(packet.payload[0]) <= 3
                                 ? glance_stun(packet.payload)
                                 : std::nullopt;
        if (!message) {
            if (!flows_.empty() && flows_.contains(sighting.flow.number)) media_.insert(sighting.flow.number);
            return;
        }
        if (message->kind == StunGlance::Class::request && message->is_check) ask(sighting, *message, scene);
        if (message->kind == StunGlance::Class::success || message->kind == StunGlance::Class::error)
            answer(sighting, *message);
    }

    void conclude(const Scene& scene, Findings& findings) override {
        const auto sessions = settle();
        for (const auto& [hosts, session] : sessions) {
            if (!scene.one_sided(hosts.first, hosts.second)) findings.push_back(told(scene, hosts, session));
        }
    }

private:
    using Key = std::pair<SocketAddress, std::array<std::uint8_t, 12>>;

    void ask(const Sighting& sighting, const StunGlance& message, Scene& scene) {
        const SocketAddress &from = sighting.sender(), &to = sighting.receiver();
        const Key key{from, message.transaction};
        if (!checks_.contains(key) && checks_.size() >= max_checks) return scene.no_room_for("ICE checks");
        flows_.insert(sighting.flow.number);
        Check& check = checks_[key];
        if (check.tries++ == 0) {
            check.pair = std::minmax(from, to);
            check.first = sighting.time;
            check.packet = sighting.number;
        }
        check.last = sighting.time;
        check.nominates = check.nominates || message.nominates;
        if (message.role == Role::none) return;
        Roles& roles = roles_[{from.ip, to.ip}];
        if (roles.first == Role::none) roles.first = message.role;
        roles.last = message.role;
    }

    void answer(const Sighting& sighting, const StunGlance& message) {
        const auto found = checks_.find(Key{sighting.receiver(), message.transaction});
        if (found == checks_.end()) return;
        Check& check = found->second;
        check.succeeded = check.succeeded || message.kind == StunGlance::Class::success;
        check.conflict = check.conflict || message.error == role_conflict;
        if (check.succeeded) pair_of_flow_[sighting.flow.number] = check.pair;
    }

    std::map<Hosts, Session> settle() const {
        std::map<Hosts, Session> sessions;
        for (const auto& [key, check] : checks_) {
            const Hosts hosts = std::minmax(check.pair.first.ip, check.pair.second.ip);
            Session& session = sessions[hosts];
            session.tries[check.pair] += check.tries;
            if (check.succeeded) session.answered.insert(check.pair);
            session.nominated = session.nominated || (check.succeeded && check.nominates);
            session.conflict = session.conflict || check.conflict;
            session.begin = std::min(session.begin, check.first);
            session.end = std::max(session.end, check.last);
            session.packets.push_back(check.packet);
        }
        for (const std::uint32_t flow : media_) {
            const auto pair = pair_of_flow_.find(flow);
            if (pair != pair_of_flow_.end())
                sessions[std::minmax(pair->second.first.ip, pair->second.second.ip)].media = true;
        }
        std::set<IpAddress> well;  // agents that got through to somebody
        for (auto& [hosts, session] : sessions) {
            const auto roles_of = [&](const IpAddress& from, const IpAddress& to) {
                if (from == to) return Roles{};  // two agents of one host can't be told apart
                const auto found = roles_.find({from, to});
                return found == roles_.end() ? Roles{} : found->second;
            };
            session.low = roles_of(hosts.first, hosts.second);
            session.high = roles_of(hosts.second, hosts.first);
            std::ranges::sort(session.packets);
            if (session.packets.size() > max_evidence) session.packets.resize(max_evidence);
            if (!session.answered.empty()) well.insert({hosts.first, hosts.second});
        }
        // Of an agent that got through elsewhere, pairs that fail are as they should be.
        for (auto& [hosts, session] : sessions)
            session.harmless = session.answered.empty() && (well.contains(hosts.first) || well.contains(hosts.second));
        return sessions;
    }

    static Conclusion conclusion_of(const Scene& scene, const Session& session) {
        const bool given_up = seconds(session.end, scene.last_time) >= silence_after;
        if (session.nominated || session.media) return Conclusion::success;
        if (session.clash() && given_up) return Conclusion::failed;
        if (!session.answered.empty()) return given_up ? Conclusion::aborted : Conclusion::success;
        const auto most =
            std::ranges::max_element(session.tries, {}, [](const auto& entry) { return entry.second; })->second;
        if (most >= serious_tries || session.harmless) return Conclusion::failed;
        return given_up ? Conclusion::aborted : Conclusion::open;
    }

    static std::string role_text(const Hosts& hosts, const Session& session, Conclusion conclusion) {
        if (!session.clashed()) return {};
        if (session.clash() && conclusion != Conclusion::success) {
            return " Both sides go on claiming to be " + std::string(name(session.low.last)) +
                   (session.low.last == Role::controlled ? ": none of them nominates a pair." : ".");
        }
        std::string out = " Both sides claimed the same role at first";
        for (const auto& [host, roles] : {std::pair(hosts.first, session.low), std::pair(hosts.second, session.high)}) {
            if (roles.first != roles.last)
                out += "; " + host.to_string() + " gave in and is " + std::string(name(roles.last)) + " now";
        }
        return out + ", which is harmless.";
    }

    static std::string result_text(const Session& session, Conclusion conclusion) {
        switch (conclusion) {
            case Conclusion::success: return " Conclusion: SUCCESS.";
            case Conclusion::failed:
                return session.harmless ? " Conclusion: FAILED on this path, which is harmless: another one works."
                                        : " Conclusion: FAILED.";
            case Conclusion::aborted:
                return session.answered.empty()
                           ? " The checks stop before a pair had its tries. Conclusion: ABORTED."
                           : " No pair was nominated, no media came, and the checks stop. Conclusion: ABORTED.";
            case Conclusion::open: return " The capture ends before there is a conclusion.";
        }
        return {};
    }

    static std::string next_text(const Session& session) {
        if (session.clash()) return "Look into the agent that does not give in to a 487 (RFC 8445 section 7.3.1.1).";
        if (session.answered.empty())
            return "Is UDP between the two let through? If not, a TURN relay must be reachable.";
        return "Was the call ended then? The signaling, or the log of the controlling side, says why it stopped.";
    }

    static Severity severity_of(const Session& session, Conclusion conclusion) {
        if (conclusion == Conclusion::success || conclusion == Conclusion::open || session.harmless)
            return Severity::info;
        return conclusion == Conclusion::aborted ? Severity::warning : Severity::error;
    }

    static Finding told(const Scene& scene, const Hosts& hosts, const Session& session) {
        const Conclusion conclusion = conclusion_of(scene, session);
        Finding finding{.id = "ice",
                        .severity = severity_of(session, conclusion),
                        .confidence = Confidence::likely,
                        .client = hosts.first,
                        .server = hosts.second,
                        .port = session.tries.begin()->first.second.port,
                        .protocol = "udp",
                        .packets = session.packets};
        finding.text = "ICE between " + hosts.first.to_string() + " and " + hosts.second.to_string() + ": " +
                       std::to_string(session.answered.size()) + " of " +
                       count_text(session.tries.size(), "pair", "pairs") + " answered." +
                       role_text(hosts, session, conclusion) + result_text(session, conclusion);
        finding.why = "Connectivity checks and their answers (" + packets_text(finding.packets) + ").";
        for (const auto& [pair, tries] : session.tries) {
            if (finding.why.size() > 600) break;
            finding.why += " " + pair.first.to_string() + " with " + pair.second.to_string() + ": " +
                           count_text(tries, "try", "tries") +
                           (session.answered.contains(pair) ? ", answered." : ", no answer.");
        }
        finding.vantage = "Checks that other interfaces sent are not in the capture.";
        if (finding.severity == Severity::error) {
            finding.lost = {{session.begin, session.end}};
            finding.lost_at_least = true;
        }
        if (finding.severity != Severity::info) finding.next = next_text(session);
        if (finding.severity == Severity::error && session.answered.empty())
            finding.fix.advice = "Let UDP between the two through, or give both a TURN relay that they can reach.";
        finding.details = {{.key = "conclusion", .value = std::string(name(conclusion))},
                           {.key = "role_conflict",
                            .value = !session.clashed()                                     ? "none"
                                     : session.clash() && conclusion != Conclusion::success ? "unresolved"
                                                                                            : "resolved"},
                           {.key = "roles",
                            .value = hosts.first.to_string() + " " + std::string(name(session.low.last)) + ", " +
                                     hosts.second.to_string() + " " + std::string(name(session.high.last))}};
        return finding;
    }

    std::map<Key, Check> checks_;
    std::map<std::pair<IpAddress, IpAddress>, Roles> roles_;  // of the first, towards the second
    std::unordered_set<std::uint32_t> flows_;  // that carry checks
    std::unordered_set<std::uint32_t> media_;  // that carry something else as well
    std::map<std::uint32_t, Pair> pair_of_flow_;  // of those where a check was answered
};

}  // namespace

std::unique_ptr<Detector> make_ice() { return std::make_unique<Ice>(); }

}  // namespace sallyport::diagnose
