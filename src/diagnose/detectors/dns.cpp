// Names that are asked for in vain: a resolver waits five seconds and asks the next server, and every connection waits
// with it.
#include "diagnose/detectors/all.hpp"

#include "diagnose/glance/dns.hpp"
#include "diagnose/glance/dns_stream.hpp"
#include "diagnose/wording.hpp"
#include "wire/dns/message.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_queries = 200'000;
constexpr double patience = 2;  // seconds without an answer
constexpr double same_question = 60;  // seconds within which another try belongs to the first
constexpr std::size_t max_streams = 5'000;  // TCP connections whose messages are followed, of 4 KiB at most
constexpr std::size_t most_tries = 64;  // for the same question that are looked at
constexpr std::uint16_t netbios_names = 137;
constexpr std::uint8_t code_refused = 5, code_failed = 2;

struct Query {
    IpAddress client{}, server{};
    std::uint16_t port = 0;
    std::uint8_t time_to_live = 0;
    std::string question{};  // name and type
    Time time = 0;
    PacketNumber packet = 0;
    bool answered = false;
    bool tcp = false;
};

// Does a connection begin with a query? Some send its length alone first.
bool begins_query(Bytes payload) {
    constexpr std::size_t longest_query = 512 + 256;  // bytes: a name, a type, EDNS with a cookie and padding
    ByteReader reader(payload);
    const auto length = reader.u16();
    if (!length || *length < 17 || *length > longest_query || reader.remaining() > *length) return false;
    if (reader.empty()) return true;
    const auto message = glance_dns(reader.rest());
    return message && !message->response;
}

bool is_multicast(const IpAddress& address) {
    if (address.is_v4()) return address.v4_host_order() >> 28 == 14 || address.v4_host_order() == 0xFFFFFFFF;
    return address.bytes()[0] == 0xFF;
}

struct Unanswered {
    std::vector<const Query*> queries;
    std::size_t answered = 0;
};

class Dns : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        const auto& packet = sighting.packet;
        if (packet.protocol == packet::protocol::tcp) return follow(sighting, scene);
        if (packet.payload.size() < 17 || packet.source_port == netbios_names ||
            packet.destination_port == netbios_names)
            return;
        if (is_multicast(packet.destination)) return;  // mDNS and LLMNR: nobody has to answer
        read(sighting, packet.payload, scene);
    }

    void conclude(const Scene& scene, Findings& findings) override {
        std::map<std::tuple<IpAddress, IpAddress, bool>, Unanswered> by_pair;
        for (const Query& query : queries_) {
            auto& pair = by_pair[{query.client, query.server, query.tcp}];
            if (query.answered)
                ++pair.answered;
            else if (seconds(query.time, scene.last_time) >= patience || rescue_of(query) != nullptr)
                pair.queries.push_back(&query);
        }
        for (const auto& [pair, unanswered] : by_pair) {
            if (!unanswered.queries.empty() && !scene.one_sided(std::get<0>(pair), std::get<1>(pair)))
                findings.push_back(told(scene, unanswered));
        }
        for (const auto& [key, failures] : failures_) findings.push_back(failed(key, failures));
    }

private:
    struct FailureKey {
        IpAddress client, server;
        std::uint8_t code;
        auto operator<=>(const FailureKey&) const = default;
    };
    struct Failures {
        std::size_t count = 0;
        std::uint16_t port = 0;
        std::string first{};
        std::vector<PacketNumber> packets{};
    };

    void read(const Sighting& sighting, Bytes bytes, Scene& scene) {
        const auto message = glance_dns(bytes);
        if (!message) return;
        message->response ? answer(sighting, *message, scene) : ask(sighting, *message, scene);
    }

    void follow(const Sighting& sighting, Scene& scene) {
        if (sighting.repeated) return;
        const auto& packet = sighting.packet;
        const auto side = static_cast<std::size_t>(sighting.side);
        auto found = streams_.find(sighting.flow.number);
        if (found == streams_.end()) {
            const bool begins = sighting.side == Side::client && sighting.flow.of(Side::client).payload_packets == 1 &&
                                begins_query(packet.payload);
            if (!begins) return;
            if (streams_.size() >= max_streams) return scene.no_room_for("DNS connections over TCP");
            found = streams_.emplace(sighting.flow.number, Stream{}).first;
        }
        Stream& stream = found->second;
        const bool first = sighting.flow.of(sighting.side).payload_packets == 1;
        const bool gap =
            (!first && packet.tcp.sequence != stream.next[side]) || packet.payload.size() < packet.payload_length;
        stream.lost[side] = stream.lost[side] || gap;
        stream.next[side] = packet.tcp.sequence + packet.payload_length;
        if (stream.lost[side]) return;
        stream.messages[side].feed(packet.payload, [&](Bytes message) { read(sighting, message, scene); });
    }

    void ask(const Sighting& sighting, const DnsGlance& message, Scene& scene) {
        if (queries_.size() >= max_queries) return scene.no_room_for("DNS queries");
        auto& repeated = open_[{sighting.flow.number, message.id}];
        // An id that comes again much later is another question.
        if (!repeated.empty() && seconds(queries_[repeated.front()].time, sighting.time) >= same_question)
            repeated.clear();
        if (!repeated.empty() && queries_[repeated.front()].answered) repeated.clear();
        repeated.push_back(queries_.size());
        queries_.push_back({.client = sighting.packet.source,
                            .server = sighting.packet.destination,
                            .port = sighting.packet.destination_port,
                            .time_to_live = sighting.packet.time_to_live,
                            .question = message.name + " " + dns::type_name(message.type),
                            .time = sighting.time,
                            .packet = sighting.number,
                            .tcp = sighting.packet.protocol == packet::protocol::tcp});
        by_question_[{queries_.back().client, queries_.back().question}].push_back(queries_.size() - 1);
    }

    void answer(const Sighting& sighting, const DnsGlance& message, Scene& scene) {
        for (const auto& address : message.addresses) scene.saw_name(message.name, address);
        const auto found = open_.find({sighting.flow.number, message.id});
        if (found == open_.end()) return;
        const Query& query = queries_[found->second.back()];
        for (const std::size_t repeated : found->second) queries_[repeated].answered = true;
        found->second.resize(1);  // a second answer finds its question again
        if (message.code != code_refused && message.code != code_failed) return;
        auto& failures = failures_[{query.client, query.server, message.code}];
        if (failures.count++ == 0) failures.first = query.question;
        failures.port = query.port;
        if (failures.packets.size() < max_evidence) failures.packets.push_back(sighting.number);
    }

    // The next try for the same question that was answered.
    const Query* rescue_of(const Query& query) const {
        const auto found = by_question_.find({query.client, query.question});
        if (found == by_question_.end()) return nullptr;
        const auto& asked = found->second;  // in the order of the capture
        auto next = std::ranges::upper_bound(asked, static_cast<std::size_t>(&query - queries_.data()));
        for (std::size_t tried = 0; next != asked.end() && tried < most_tries; ++next, ++tried) {
            const Query& other = queries_[*next];
            if (other.answered && other.time > query.time && seconds(query.time, other.time) < same_question)
                return &other;
        }
        return nullptr;
    }

    Finding told(const Scene& scene, const Unanswered& unanswered) const {
        const Query& first = *unanswered.queries.front();
        Finding finding{.id = "dns-unanswered",
                        .severity = unanswered.answered > 0 ? Severity::warning : Severity::error,
                        .confidence = Confidence::certain,
                        .client = first.client,
                        .server = first.server,
                        .port = first.port,
                        .protocol = first.tcp ? "tcp" : "udp"};
        const Query* rescue = nullptr;
        for (const Query* query : unanswered.queries) {
            finding.add_packet(query->packet);
            const Query* next = rescue_of(*query);
            if (next != nullptr) finding.lost.push_back({query->time, next->time});
            if (rescue == nullptr) rescue = next;
        }
        if (finding.lost.empty()) {
            finding.lost = {{first.time, unanswered.queries.back()->time}};
            finding.lost_at_least = true;
        }
        if (rescue != nullptr) {
            finding.fallback =
                Fallback{.server = rescue->server, .port = rescue->port, .after = seconds(first.time, rescue->time)};
        }
        tell(scene, unanswered, rescue, finding);
        return finding;
    }

    static void tell(const Scene& scene, const Unanswered& unanswered, const Query* rescue, Finding& finding) {
        const Query& first = *unanswered.queries.front();
        const Place place = scene.place_of(finding.server, first.time_to_live);
        finding.text = "The name server " + finding.server.to_string() + " does not answer " +
                       (first.tcp ? "over TCP " : "") + count_text(unanswered.queries.size(), "query", "queries") +
                       " of " + finding.client.to_string() + " (" + first.question + ").";
        if (rescue != nullptr) {
            finding.text += " " + rescue->server.to_string() + " answered the same question when it was asked, " +
                            seconds_text(seconds(first.time, rescue->time)) + " later.";
        }
        finding.why = "No answer has the id of " + packets_text(finding.packets);
        finding.why += unanswered.answered > 0 ? "; " + std::to_string(unanswered.answered) +
                                                     " others did: packets get lost, or "
                                                     "the server limits its answers."
                                               : ".";
        finding.vantage = silence_vantage(place);
        finding.next = "Ask it directly: kdig " + std::string(first.tcp ? "+tcp " : "") + "@" +
                       finding.server.to_string() + " " + first.question.substr(0, 100);
        finding.fix = accept_fix(finding.server, finding.port, finding.protocol, place);
        finding.fix.advice += " Or take this server out of the client's list.";
        finding.details = {{.key = "question", .value = first.question},
                           {.key = "queries", .value = std::to_string(unanswered.queries.size()), .number = true}};
    }

    static Finding failed(const FailureKey& key, const Failures& failures) {
        Finding finding{.id = "dns-errors",
                        .severity = Severity::info,
                        .client = key.client,
                        .server = key.server,
                        .port = failures.port,
                        .protocol = "udp",
                        .kind = dns::rcode_name(key.code),
                        .packets = failures.packets};
        finding.text = "The name server " + key.server.to_string() + " answers " +
                       count_text(failures.count, "query", "queries") + " of " + key.client.to_string() + " with " +
                       dns::rcode_name(key.code) + " (first " + failures.first + ").";
        finding.why = "As its answers say (" + packets_text(failures.packets) + ").";
        finding.vantage = "Why it can't or won't answer is in its own log.";
        return finding;
    }

    struct Stream {
        std::array<DnsStream, 2> messages{};
        std::array<std::uint32_t, 2> next{};  // sequence numbers expected
        std::array<bool, 2> lost{};
    };

    std::vector<Query> queries_;
    std::unordered_map<std::uint32_t, Stream> streams_;
    std::map<std::pair<std::uint32_t, std::uint16_t>, std::vector<std::size_t>> open_;  // the repetitions of a query
    std::map<std::pair<IpAddress, std::string>, std::vector<std::size_t>> by_question_;
    std::map<FailureKey, Failures> failures_;
};

}  // namespace

std::unique_ptr<Detector> make_dns() { return std::make_unique<Dns>(); }

}  // namespace sallyport::diagnose
