// Audio and video that run one way only, and the usual cause: signaling (SDP with its ICE candidates, or H.245) that
// gives an address from behind a NAT, to which the other side then sends.
#include "diagnose/detectors/all.hpp"

#include "diagnose/glance/h245.hpp"
#include "diagnose/glance/rtp.hpp"
#include "diagnose/glance/sdp.hpp"
#include "diagnose/wording.hpp"
#include "wire/sip/message.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <unordered_map>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_streams = 100'000;
constexpr std::size_t max_offers = 20'000;
constexpr std::uint32_t enough = 25;  // packets in a row of sequence numbers that make a stream
constexpr double patience = 1;  // seconds without a packet back

struct Stream {
    std::uint32_t flow = none;
    Side side = Side::client;
    SocketAddress from{}, to{};
    std::uint32_t source = 0;  // SSRC
    std::uint8_t payload_type = 0;
    std::uint8_t time_to_live = 0;
    std::uint16_t last_sequence = 0;
    std::uint32_t in_row = 0;
    std::uint32_t packets = 0;
    PacketNumber first_packet = 0, last_packet = 0;
    Time begin = 0, end = 0;
};

enum class Where : std::uint8_t { description, candidate, h245 };

// A message that wants media at an address other than its own.
struct Offer {
    Where where = Where::description;
    IpAddress sender{}, receiver{};
    SocketAddress media{};
    PacketNumber packet = 0;
};

std::string hex(std::uint32_t number) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "0x%08x", number);
    return text.data();
}

class Media : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        const Bytes payload = sighting.packet.payload;
        const auto first = std::to_integer<unsigned>(payload[0]);
        const bool udp = sighting.packet.protocol == packet::protocol::udp;
        if (udp && first >> 6 == 2) return rtp(sighting, scene);
        if (!udp && first == 3 && !sighting.repeated) return h245(sighting);
        // Methods and "SIP/2.0" begin with a capital letter.
        if (first >= 'A' && first <= 'Z' && payload.size() > 40) sip(sighting);
    }

    void conclude(const Scene& scene, Findings& findings) override {
        const auto one_way = one_way_streams(scene);
        std::map<SocketAddress, const Stream*> by_receiver, by_sender;
        for (const Stream* stream : one_way) {
            by_receiver.emplace(stream->to, stream);
            by_sender.emplace(stream->from, stream);
        }
        for (const Offer& offer : offers_) {
            const auto sent_there = by_receiver.find(offer.media);
            const Stream* stream = sent_there == by_receiver.end() ? nullptr : sent_there->second;
            if (stream != nullptr || offer.where == Where::description)
                findings.push_back(private_offer(offer, stream));
        }
        // Two streams of one local socket that miss each other are one call.
        std::map<SocketAddress, std::vector<const Stream*>> calls;
        for (const Stream* stream : one_way) {
            calls[by_sender.contains(stream->to) ? stream->to : stream->from].push_back(stream);
        }
        for (const auto& [socket, streams] : calls) findings.push_back(one_way_call(scene, socket, streams));
    }

private:
    void rtp(const Sighting& sighting, Scene& scene) {
        const auto packet = glance_rtp(sighting.packet.payload);
        if (!packet) return;
        const std::uint64_t key = std::uint64_t{sighting.flow.number} << 1 | (sighting.side == Side::server ? 1 : 0);
        auto found = streams_.find(key);
        if (found == streams_.end()) {
            if (streams_.size() >= max_streams) return scene.no_room_for("datagrams of what may be media");
            found = streams_.emplace(key, Stream{}).first;
            found->second.flow = sighting.flow.number;
            found->second.side = sighting.side;
            found->second.from = sighting.sender();
            found->second.to = sighting.receiver();
        }
        Stream& stream = found->second;
        const auto step = static_cast<std::uint16_t>(packet->sequence - stream.last_sequence);
        const bool follows = stream.packets > 0 && packet->source == stream.source && step <= 3;  // some may be lost
        stream.in_row = follows ? stream.in_row + 1 : 1;
        if (!follows && stream.packets < enough) {
            stream.source = packet->source;
            stream.payload_type = packet->payload_type;
            stream.begin = sighting.time;
            stream.first_packet = sighting.number;
            stream.time_to_live = sighting.packet.time_to_live;
            stream.packets = 0;
        }
        stream.last_sequence = packet->sequence;
        stream.last_packet = sighting.number;
        stream.end = sighting.time;
        ++stream.packets;
    }

    void sip(const Sighting& sighting) {
        const auto& packet = sighting.packet;
        sip::Message message;
        const auto result = sip::parse_message(packet.payload, message);
        if (!result.complete()) return;
        const auto description = as_text(packet.payload.subspan(result.length));
        // A candidate from outside is what the other side finds by its checks, whatever stands beside it.
        const auto candidates = candidates_of(description);
        if (!std::ranges::all_of(candidates, is_private, &SocketAddress::ip)) return;
        for (const auto& media : media_of(description)) offer(sighting, media, Where::description);
        for (const auto& media : candidates) offer(sighting, media, Where::candidate);
    }

    void h245(const Sighting& sighting) {
        for (const auto& media : private_addresses_of(sighting.packet.payload)) offer(sighting, media, Where::h245);
    }

    // Each once: of what H.245 only seems to say there is much.
    void offer(const Sighting& sighting, const SocketAddress& media, Where where) {
        const IpAddress& sender = sighting.packet.source;
        if (media.ip == sender || !is_private(media.ip) || offers_.size() >= max_offers) return;
        if (!offered_.emplace(sender, media).second) return;
        offers_.push_back({.where = where,
                           .sender = sender,
                           .receiver = sighting.packet.destination,
                           .media = media,
                           .packet = sighting.number});
    }

    std::vector<const Stream*> one_way_streams(const Scene& scene) const {
        std::vector<const Stream*> out;
        for (const auto& [key, stream] : streams_) {
            const Flow* flow = scene.flows.by_number(stream.flow);
            const bool long_enough = stream.packets >= enough && seconds(stream.begin, stream.end) >= patience;
            if (flow == nullptr || !long_enough || flow->of(other(stream.side)).packets > 0) continue;
            if (scene.one_sided(stream.from.ip, stream.to.ip)) continue;
            out.push_back(&stream);
        }
        std::ranges::sort(out, {}, &Stream::first_packet);
        return out;
    }

    // `stream`: one-way media to that address; null: none.
    static Finding private_offer(const Offer& offer, const Stream* stream) {
        const bool harms = stream != nullptr;
        Finding finding{.id = "sdp-private",
                        .severity = harms ? Severity::error : Severity::info,
                        .confidence = Confidence::likely,
                        .client = offer.sender,
                        .server = offer.receiver,
                        .port = offer.media.port,
                        .protocol = "udp",
                        .packets = {offer.packet}};
        constexpr std::array<std::string_view, 3> what{"The session description", "An ICE candidate", "H.245"};
        constexpr std::array<std::string_view, 3> which{"c= and m=", "a=candidate",
                                                        "The octets of a transport address"};
        const auto where = static_cast<std::size_t>(offer.where);
        finding.text = std::string(what[where]) + " of " + offer.sender.to_string() + " wants its media at " +
                       offer.media.to_string() + ", a private address that is not the packet's own.";
        finding.why = std::string(which[where]) + " of packet " + std::to_string(in_file(offer.packet)) +
                      " say so; the packet came from " + offer.sender.to_string() + ".";
        if (harms) {
            finding.packets.push_back(stream->first_packet);
            finding.text += " " + stream->from.ip.to_string() + " sends there, " +
                            count_text(stream->packets, "packet", "packets") + ", where nobody can get them.";
            finding.vantage =
                "What the phone hears can't be seen here; media to a private address does not leave the network.";
            finding.next =
                "Which box should have put the outside address in: the phone (STUN), the SIP gateway, or the server?";
            finding.fix.advice =
                "Let the phone learn its outside address by STUN or ICE, put a SIP-aware gateway at the edge, or let "
                "the server send media back to where it comes from (symmetric RTP).";
        } else {
            finding.vantage = "It does no harm where the other side sends media back to where it comes from.";
        }
        finding.details = {{.key = "media", .value = offer.media.to_string()}};
        return finding;
    }

    static Finding one_way_call(const Scene& scene, const SocketAddress& socket,
                                const std::vector<const Stream*>& streams) {
        const Stream& first = *streams.front();
        const bool misses = streams.size() > 1;
        Finding finding{.id = "rtp-one-way",
                        .severity = Severity::error,
                        .confidence = Confidence::certain,
                        .client = misses && first.from == socket ? streams[1]->from.ip : first.from.ip,
                        .server = misses ? socket.ip : first.to.ip,
                        .port = misses ? socket.port : first.to.port,
                        .protocol = "udp"};
        finding.text = "Media runs one way only:";
        std::string sources, counts;
        for (const Stream* stream : streams) {
            finding.packets.push_back(stream->first_packet);
            finding.packets.push_back(stream->last_packet);
            finding.text += (stream == streams.front() ? " " : "; ") +
                            count_text(stream->packets, "packet", "packets") + " from " + stream->from.to_string() +
                            " to " + stream->to.to_string() + ", and nothing back";
            sources += (sources.empty() ? "" : ", ") + hex(stream->source);
            counts += (counts.empty() ? "" : ", ") + std::to_string(stream->packets);
        }
        finding.text += misses ? ". The two directions miss each other: the answer goes to another address." : ".";
        finding.why = "RTP with SSRC " + sources + ", sequence numbers in a row (" + packets_text(finding.packets) +
                      "), and in " + seconds_text(seconds(first.begin, first.end)) + " no packet the other way.";
        finding.vantage = silence_vantage(scene.place_of(first.to.ip, first.time_to_live));
        finding.next =
            "Where does the other side send? Look at its session description (SIP: c= and m=; H.245: the channel's "
            "address).";
        finding.fix.advice = "Open the range of RTP ports in both directions, or let media take a TURN relay.";
        finding.details = {{.key = "ssrc", .value = sources}, {.key = "stream_packets", .value = counts}};
        return finding;
    }

    std::unordered_map<std::uint64_t, Stream> streams_;
    std::vector<Offer> offers_;
    std::set<std::pair<IpAddress, SocketAddress>> offered_;  // sender and media of each
};

}  // namespace

std::unique_ptr<Detector> make_media() { return std::make_unique<Media>(); }

}  // namespace sallyport::diagnose
