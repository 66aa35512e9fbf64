// TLS handshakes that end before they begin: a ClientHello without an answer, a reset behind it, an alert, and a client
// that does not believe the certificate it is shown.
#include "diagnose/detectors/all.hpp"

#include "base/text.hpp"
#include "diagnose/glance/certificate.hpp"
#include "diagnose/glance/tls_messages.hpp"
#include "diagnose/glance/tls_records.hpp"
#include "diagnose/wording.hpp"
#include "wire/tls/client_hello.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_handshakes = 100'000;
constexpr std::size_t max_waiting_hellos = 2'000;  // ClientHellos that are not whole yet, of at most 16 KiB
constexpr std::size_t max_open = 2'000;  // handshakes whose messages are kept, of at most 8 KiB each way
constexpr double patience = 2;  // seconds without an answer

struct Handshake {
    std::uint32_t flow = none;
    Time hello_time = 0;
    PacketNumber hello_packet = 0;
    std::string hello{};  // its bytes while it is not whole
    bool hello_read = false;
    std::string server_name{};
    std::uint16_t version = 0;
    std::array<std::uint32_t, 2> next{};  // sequence numbers expected
    std::array<TlsRecords, 2> records{};
    std::array<TlsMessages, 2> messages{};
    std::optional<CertificateGlance> shown{};  // by the server
    PacketNumber shown_packet = 0;
    bool closed = false;  // its messages are of no more use
    std::optional<TlsAlert> alert{};  // the first that does not just close
    Side alert_side = Side::client;
    Time alert_time = 0;
    PacketNumber alert_packet = 0;
};

std::string_view version_name(std::uint16_t version) {
    switch (version) {
        case 0x0300: return "SSL 3";
        case 0x0301: return "TLS 1.0";
        case 0x0302: return "TLS 1.1";
        case 0x0303: return "TLS 1.2";
        case 0x0304: return "TLS 1.3";
        default: return "an unknown version";
    }
}

bool begins_hello(Bytes bytes) {
    return bytes.size() > 5 && std::to_integer<unsigned>(bytes[0]) == 22 && std::to_integer<unsigned>(bytes[1]) == 3 &&
           std::to_integer<unsigned>(bytes[5]) == 1;
}

// Alerts of a client that tell of the server's certificate.
bool rejects_certificate(std::uint8_t description) {
    constexpr std::array<std::uint8_t, 5> all{42, 43, 45, 46, 48};
    return std::ranges::count(all, description) > 0;
}

class Tls : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        auto found = handshakes_.find(sighting.flow.number);
        if (found == handshakes_.end()) {
            const bool begins = sighting.side == Side::client && sighting.flow.of(Side::client).payload_packets == 1 &&
                                begins_hello(sighting.packet.payload);
            if (!begins) return;
            if (handshakes_.size() >= max_handshakes) return scene.no_room_for("TLS handshakes");
            found = handshakes_.emplace(sighting.flow.number, Handshake{}).first;
            found->second.flow = sighting.flow.number;
            found->second.hello_time = sighting.time;
            found->second.hello_packet = sighting.number;
            if (handshakes_.size() - closed_ > max_open) stop(found->second);
        }
        follow(found->second, sighting);
        read_messages(found->second, sighting, scene);
        if (is_of_no_more_use(found->second)) forget(found);
    }

    void conclude(const Scene& scene, Findings& findings) override {
        std::vector<const Handshake*> ordered;
        for (const auto& [number, handshake] : handshakes_) ordered.push_back(&handshake);
        std::ranges::sort(ordered, {}, &Handshake::flow);
        intercepted(scene, ordered, findings);
        for (const Handshake* handshake : ordered) {
            const Flow* flow = scene.flows.by_number(handshake->flow);
            if (flow == nullptr || flow->is_twin() || scene.one_sided(flow->client.ip, flow->server.ip)) continue;
            if (handshake->alert)
                alert(*flow, *handshake, findings);
            else if (!handshake->records[1].any())
                unanswered(scene, *flow, *handshake, findings);
        }
    }

private:
    void follow(Handshake& handshake, const Sighting& sighting) {
        const auto side = static_cast<std::size_t>(sighting.side);
        TlsRecords& records = handshake.records[side];
        if (sighting.repeated || records.encrypted()) return;
        const auto& packet = sighting.packet;
        const bool first = sighting.flow.of(sighting.side).payload_packets == 1;
        if (!first && packet.tcp.sequence != handshake.next[side]) return records.lose_track();
        handshake.next[side] = packet.tcp.sequence + packet.payload_length;
        if (packet.payload.size() < packet.payload_length) records.lose_track();
        if (sighting.side == Side::client) read_hello(handshake, packet.payload);
        const auto alert = records.feed(packet.payload, handshake.messages[side]);
        if (!alert || alert->closes() || handshake.alert) return;
        handshake.alert = alert;
        handshake.alert_side = sighting.side;
        handshake.alert_time = sighting.time;
        handshake.alert_packet = sighting.number;
    }

    void read_hello(Handshake& handshake, Bytes payload) {
        if (handshake.hello_read) return;
        if (handshake.hello.empty() && waiting_ >= max_waiting_hellos) return;
        if (handshake.hello.empty()) ++waiting_;
        handshake.hello += as_text(payload);
        tls::ClientHello hello;
        const auto result = tls::read_client_hello(as_bytes(handshake.hello), hello);
        if (result.state == tls::HelloResult::State::need_more && handshake.hello.size() < 2 * tls::max_client_hello)
            return;
        handshake.server_name = hello.server_name;
        handshake.version = hello.highest_version;
        handshake.hello_read = true;
        handshake.hello = {};
        --waiting_;
    }

    void stop(Handshake& handshake) {
        for (TlsMessages& messages : handshake.messages) messages.stop();
        if (!std::exchange(handshake.closed, true)) ++closed_;
    }

    // It went well, and what follows can't be read.
    static bool is_of_no_more_use(const Handshake& handshake) {
        return handshake.records[0].encrypted() && handshake.records[1].encrypted() && !handshake.alert &&
               !handshake.shown;
    }

    void forget(std::unordered_map<std::uint32_t, Handshake>::iterator at) {
        if (at->second.closed) --closed_;
        if (!at->second.hello_read && !at->second.hello.empty()) --waiting_;
        handshakes_.erase(at);
    }

    // Who the two say they are, as far as it is in clear.
    void read_messages(Handshake& handshake, const Sighting& sighting, Scene& scene) {
        const auto side = static_cast<std::size_t>(sighting.side);
        TlsMessages& messages = handshake.messages[side];
        const auto claim = [&](Identity identity) {
            scene.saw_claim({.identity = std::move(identity), .flow = handshake.flow, .packet = sighting.number});
        };
        do {
            if (const auto hello = messages.client_hello()) {
                if (const auto again = resumption_in(*hello)) claim(secret_identity(again->kind, again->value));
            }
            const auto certificate = messages.certificate();
            const auto named = certificate ? glance_certificate(*certificate) : std::nullopt;
            if (!named) continue;
            if (sighting.side == Side::client) {
                const auto digest = secret_identity({}, as_text(*certificate)).value;
                claim({.kind = "client certificate", .value = named->subject + " #" + digest});
            } else if (!handshake.shown) {
                handshake.shown = named;
                handshake.shown_packet = sighting.number;
            }
            messages.stop();  // what follows is the rest of the chain
        } while (messages.next());
        if (handshake.records[0].encrypted() || (handshake.records[1].encrypted() && sighting.side == Side::client))
            stop(handshake);
    }

    // A certificate from somebody else than who has to issue it, or from two at one and the same server.
    static void intercepted(const Scene& scene, const std::vector<const Handshake*>& handshakes, Findings& findings) {
        std::map<std::tuple<IpAddress, std::uint16_t, std::string>, std::map<std::string, const Handshake*>> issuers;
        for (const Handshake* handshake : handshakes) {
            const Flow* flow = scene.flows.by_number(handshake->flow);
            if (flow == nullptr || !handshake->shown || handshake->shown->issuer.empty()) continue;
            issuers[{flow->server.ip, flow->server.port, handshake->server_name}].emplace(handshake->shown->issuer,
                                                                                          handshake);
        }
        for (const auto& [server, seen] : issuers) {
            for (const auto& [issuer, handshake] : seen) {
                const bool expected = to_lower(issuer).find(to_lower(scene.expected_issuer)) != std::string::npos;
                if (!expected) findings.push_back(strange_issuer(scene, *handshake, {}));
            }
            if (!scene.expected_issuer.empty() || seen.size() < 2) continue;
            const auto &one = *seen.begin()->second, &two = *std::next(seen.begin())->second;
            if (!related(one.shown->issuer, two.shown->issuer))
                findings.push_back(strange_issuer(scene, two, one.shown->issuer));
        }
    }

    // Do both names end in the same organization? Authorities issue by several certificates of their own.
    static bool related(const std::string& a, const std::string& b) {
        const auto organization = [](const std::string& name) { return name.substr(name.find(", ") + 1); };
        return organization(a) == organization(b);
    }

    static Finding strange_issuer(const Scene& scene, const Handshake& handshake, const std::string& other) {
        const Flow& flow = *scene.flows.by_number(handshake.flow);
        const CertificateGlance& shown = *handshake.shown;
        Finding finding = begun(flow, handshake, "tls-intercept");
        finding.kind = shown.issuer;
        finding.confidence = other.empty() ? Confidence::likely : Confidence::possible;
        finding.severity = other.empty() ? Severity::error : Severity::warning;
        finding.packets.push_back(handshake.shown_packet);
        finding.text = endpoint_text(finding.server, finding.port) + " shows " + finding.client.to_string() +
                       " a certificate " + certificate_text(shown) +
                       (other.empty() ? ", and not by " + scene.expected_issuer
                                      : "; another connection to it was shown one that " + other + " issued") +
                       ": something on the way may terminate TLS in the server's place.";
        finding.why = "The certificate is in packet " + std::to_string(in_file(handshake.shown_packet)) +
                      ", in clear, behind the " + hello_text(handshake) + " in packet " +
                      std::to_string(in_file(handshake.hello_packet)) + ".";
        finding.vantage = other.empty() ? "Whether the server itself has this certificate can't be seen from here."
                                        : "A server that changed its certificate in between looks the same.";
        finding.next = trust_advice;
        finding.details.push_back({.key = "issuer", .value = shown.issuer});
        finding.details.push_back({.key = "subject", .value = shown.subject});
        return finding;
    }

    static std::string certificate_text(const CertificateGlance& shown) {
        return "of " + shown.subject + (shown.self_issued ? ", issued by itself" : ", issued by " + shown.issuer);
    }

    static constexpr std::string_view trust_advice =
        "Compare the issuer that the client sees (openssl s_client -showcerts) with the one configured.";

    static Finding begun(const Flow& flow, const Handshake& handshake, std::string_view id) {
        Finding finding{.id = id,
                        .severity = Severity::error,
                        .client = flow.client.ip,
                        .server = flow.server.ip,
                        .port = flow.server.port,
                        .protocol = "tcp",
                        .packets = {handshake.hello_packet}};
        if (!handshake.server_name.empty())
            finding.details.push_back({.key = "server_name", .value = handshake.server_name});
        return finding;
    }

    static std::string hello_text(const Handshake& handshake) {
        std::string out = "ClientHello";
        if (!handshake.server_name.empty()) out += " for " + handshake.server_name;
        if (handshake.version != 0) out += " (up to " + std::string(version_name(handshake.version)) + ")";
        return out;
    }

    static void unanswered(const Scene& scene, const Flow& flow, const Handshake& handshake, Findings& findings) {
        const auto& client = flow.of(Side::client);
        const auto& server = flow.of(Side::server);
        if (!flow.established || server.payload_packets > 0) return;
        if (client.stuck_length > 0 && client.stuck_count >= 3) return;  // never arrived: that is another fault
        const bool client_ended = client.finished || client.reset;
        const bool cut = server.reset || (server.finished && !client_ended);
        if (cut) return reset(flow, handshake, findings);
        const Time given_up = client_ended ? client.end_time : scene.last_time;
        if (seconds(handshake.hello_time, given_up) < patience) return;
        Finding finding = begun(flow, handshake, "tls-no-serverhello");
        finding.lost = {{handshake.hello_time, given_up}};
        finding.lost_at_least = !client_ended;
        const bool acknowledged = server.acknowledges && server.acknowledged != client.initial_sequence + 1;
        finding.text = endpoint_text(finding.server, finding.port) + " does not answer the " + hello_text(handshake) +
                       " of " + finding.client.to_string() +
                       (client_ended ? "; the client gives up after " : ", for ") +
                       seconds_text(seconds(handshake.hello_time, given_up)) + ".";
        finding.why = "The connection is open and the ClientHello (packet " +
                      std::to_string(in_file(handshake.hello_packet)) + ") is " +
                      (acknowledged ? "acknowledged" : "not acknowledged") +
                      ", but no ServerHello, alert or reset follows.";
        finding.vantage = acknowledged ? "The host's TCP has the message; whether the program reads it can't be seen."
                                       : "Whether the message arrives at the server can't be seen from here.";
        finding.next =
            "Is the program behind the port alive, and does it speak TLS there? Does a box on the way drop hellos by "
            "their server name?";
        findings.push_back(std::move(finding));
    }

    static void reset(const Flow& flow, const Handshake& handshake, Findings& findings) {
        const auto& server = flow.of(Side::server);
        Finding finding = begun(flow, handshake, "tls-reset-after-hello");
        finding.text = endpoint_text(finding.server, finding.port) + " ends the connection of " +
                       finding.client.to_string() + " by a " + (server.reset ? "reset" : "FIN") + " behind the " +
                       hello_text(handshake) + ".";
        finding.why = "The ClientHello is packet " + std::to_string(in_file(handshake.hello_packet)) +
                      "; instead of a ServerHello the end came " +
                      seconds_text(seconds(handshake.hello_time, server.last_time)) + " later.";
        finding.vantage =
            "A box on the way that filters by server name looks the same as a server that does not speak TLS there.";
        finding.next =
            "Compare the time to live of the end with the server's other packets; try the same from another network.";
        findings.push_back(std::move(finding));
    }

    static void alert(const Flow& flow, const Handshake& handshake, Findings& findings) {
        const TlsAlert& alert = *handshake.alert;
        const bool by_client = handshake.alert_side == Side::client;
        const bool distrust = by_client && rejects_certificate(alert.description);
        Finding finding = begun(flow, handshake, distrust ? "tls-intercept" : "tls-alert");
        finding.confidence = distrust ? Confidence::likely : Confidence::certain;
        finding.severity = alert.level == 2 || distrust ? Severity::error : Severity::info;
        finding.packets.push_back(handshake.alert_packet);
        const auto known = alert_name(alert.description);
        const std::string number = std::to_string(alert.description);
        const std::string name =
            known.empty() ? "alert " + number : "alert " + number + " (" + std::string(known) + ")";
        const std::string who =
            by_client ? "The client " + finding.client.to_string() : endpoint_text(finding.server, finding.port);
        finding.text =
            who + " ends the handshake with " + name + ", " +
            (by_client ? "with " + endpoint_text(finding.server, finding.port) : "of " + finding.client.to_string()) +
            ".";
        if (alert.description == 70) {
            finding.text += by_client ? " The server has chosen a version that the client does not speak any more."
                                      : " The client offers " + std::string(version_name(handshake.version)) +
                                            " at most, and the server wants a later version.";
        }
        if (distrust) {
            finding.text += " It does not trust the certificate it is shown";
            if (handshake.shown) finding.text += ", " + certificate_text(*handshake.shown);
            finding.text += ": something on the way may terminate TLS in the server's place.";
        }
        finding.why = "Packet " + std::to_string(in_file(handshake.alert_packet)) + " is the alert, behind the " +
                      hello_text(handshake) + " in packet " + std::to_string(in_file(handshake.hello_packet)) + ".";
        finding.vantage = distrust ? "A self-signed or expired certificate of the server itself looks the same."
                                   : "Why it decided so "
                                     "is in the log of the side that sent the alert.";
        finding.next = distrust ? std::string(trust_advice) : "Look into the log of the side that sent it.";
        finding.details.push_back({.key = "alert", .value = number, .number = true});
        finding.details.push_back({.key = "alert_name", .value = std::string(known)});
        if (distrust && handshake.shown) {
            finding.details.push_back({.key = "issuer", .value = handshake.shown->issuer});
            finding.details.push_back({.key = "subject", .value = handshake.shown->subject});
        }
        finding.details.push_back({.key = "side", .value = by_client ? "client" : "server"});
        findings.push_back(std::move(finding));
    }

    std::unordered_map<std::uint32_t, Handshake> handshakes_;
    std::size_t waiting_ = 0;
    std::size_t closed_ = 0;  // handshakes of which nothing more is kept
};

}  // namespace

std::unique_ptr<Detector> make_tls() { return std::make_unique<Tls>(); }

}  // namespace sallyport::diagnose
