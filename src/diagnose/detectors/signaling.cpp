// Refusals in the words of the protocol itself: no fault of the network, and the end of the search for one.
#include "diagnose/detectors/all.hpp"

#include "diagnose/glance/refusal.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_kinds = 10'000;

std::string_view id_of(std::string_view protocol) {
    return protocol == "sip" ? "sip-refused" : protocol == "ldap" ? "ldap-refused" : "h225-refused";
}

class Signaling : public Detector {
public:
    void see(const Sighting& sighting, Scene&) override {
        if (sighting.repeated) return;
        const auto& packet = sighting.packet;
        const bool ras = packet.protocol == packet::protocol::udp &&
                         (is_ras_port(packet.source_port) || is_ras_port(packet.destination_port));
        const auto refusal = glance_refusal(packet.payload, ras);
        if (!refusal) return;
        const Key key{sighting.receiver().ip, sighting.sender().ip, refusal->protocol, refusal->code};
        if (!seen_.contains(key) && seen_.size() >= max_kinds) return;
        auto& seen = seen_[key];
        if (seen.count++ == 0) seen.refusal = *refusal;
        seen.port = sighting.sender().port;
        seen.udp = sighting.packet.protocol == packet::protocol::udp;
        if (seen.packets.size() < max_evidence) seen.packets.push_back(sighting.number);
    }

    void conclude(const Scene&, Findings& findings) override {
        for (const auto& [key, seen] : seen_) {
            const auto& [client, server, protocol, code] = key;
            Finding finding{.id = id_of(protocol),
                            .severity = seen.refusal.serious ? Severity::warning : Severity::info,
                            .client = client,
                            .server = server,
                            .port = seen.port,
                            .protocol = seen.udp ? "udp" : "tcp",
                            .kind = std::string(protocol) + std::to_string(code),
                            .packets = seen.packets};
            const std::string what = std::to_string(code) + " " + seen.refusal.words;
            finding.text = endpoint_text(server, seen.port) + " refuses " + client.to_string() + " in its own words, " +
                           count_text(seen.count, "time", "times") + ": " + std::string(protocol) + " " + what + ".";
            finding.why =
                "It says so in clear (" + packets_text(seen.packets) + "): the network carries the messages both ways.";
            finding.vantage = "Why it refuses is in its own log.";
            finding.details = {{.key = "code", .value = std::to_string(code), .number = true}};
            findings.push_back(std::move(finding));
        }
    }

private:
    using Key = std::tuple<IpAddress, IpAddress, std::string_view, int>;
    struct Seen {
        Refusal refusal{};
        std::size_t count = 0;
        std::uint16_t port = 0;
        bool udp = false;
        std::vector<PacketNumber> packets{};
    };

    std::map<Key, Seen> seen_;
};

}  // namespace

std::unique_ptr<Detector> make_signaling() { return std::make_unique<Signaling>(); }

}  // namespace sallyport::diagnose
