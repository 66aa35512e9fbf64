#include "diagnose/tracker.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

using packet::Packet;
using packet::Tcp;
namespace flag = packet::flag;

// Sequence numbers wrap around (RFC 9293 section 3.4).
bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

// Joined midway: servers have the lower ports, as a rule.
bool looks_like_server(const SocketAddress& a, const SocketAddress& b) { return a.port < b.port; }

FlowTable::Found tcp_flow(FlowTable& flows, const Packet& packet, const SocketAddress& source,
                          const SocketAddress& destination, std::uint8_t vantage) {
    const Tcp& tcp = packet.tcp;
    const auto found = flows.find(source, destination, packet.protocol, vantage);
    const bool opens = tcp.has(flag::syn) && !tcp.has(flag::ack);
    if (found.flow != nullptr) {
        // Another initial sequence number is another attempt, though the ports are the same.
        const OneWay& sent = found.flow->of(found.side);
        const bool anew =
            opens && (found.side != Side::client || !sent.opened || sent.initial_sequence != tcp.sequence);
        if (!anew) return found;
    }
    const bool by_server =
        tcp.has(flag::syn | flag::ack) || (!opens && found.flow == nullptr && looks_like_server(source, destination));
    return by_server ? FlowTable::Found{&flows.add(destination, source, packet.protocol, vantage), Side::server}
                     : FlowTable::Found{&flows.add(source, destination, packet.protocol, vantage), Side::client};
}

void count(OneWay& sent, const Packet& packet, Time time, PacketNumber number) {
    if (sent.packets++ == 0) {
        sent.first_time = sent.last_time = time;
        sent.first_packet = number;
        sent.time_to_live = packet.time_to_live;
    }
    sent.first_time = std::min(sent.first_time, time);
    sent.last_time = std::max(sent.last_time, time);
    if (packet.payload_length == 0) return;
    if (sent.payload_packets++ == 0) {
        sent.payload_time = time;
        sent.payload_packet = number;
    }
    sent.bytes += packet.payload_length;
}

// A segment that was sent before, and is still not acknowledged.
void repeat(OneWay& sent, const OneWay& peer, const Packet& packet, Time time) {
    const bool freed = sent.stuck_length != 0 && peer.acknowledges && before(sent.stuck_sequence, peer.acknowledged);
    if (sent.stuck_length == 0 || freed) {
        sent.stuck_sequence = packet.tcp.sequence;
        sent.stuck_length = packet.payload_length;
        sent.stuck_count = 0;
    }
    if (packet.tcp.sequence != sent.stuck_sequence) return;
    sent.stuck_length = packet.payload_length;  // a sender that has learned of a smaller path repeats less
    if (sent.stuck_count < UINT16_MAX) ++sent.stuck_count;
    sent.stuck_time = time;
}

// Returns whether all of it had been sent before.
bool follow_sequence(OneWay& sent, const OneWay& peer, const Packet& packet, Time time) {
    const Tcp& tcp = packet.tcp;
    if (tcp.has(flag::rst)) return false;
    const std::uint32_t length = packet.payload_length + (tcp.has(flag::syn) ? 1 : 0) + (tcp.has(flag::fin) ? 1 : 0);
    const std::uint32_t end = tcp.sequence + length;
    if (!sent.sequenced || tcp.has(flag::syn)) {
        sent.sequenced = true;
        sent.next_sequence = end;
        if (packet.payload_length > 0) sent.new_payload_time = time;
        return false;
    }
    if (before(sent.next_sequence, end)) {
        sent.next_sequence = end;
        if (packet.payload_length > 0) sent.new_payload_time = time;
        return false;
    }
    // One byte or none below the next is a keep-alive (RFC 9293 section 3.8.4).
    if (packet.payload_length <= 1) return false;
    repeat(sent, peer, packet, time);
    return true;
}

void acknowledge(OneWay& sent, OneWay& peer, const Tcp& tcp) {
    if (!tcp.has(flag::ack) || tcp.has(flag::syn)) return;
    if (sent.acknowledges && !before(sent.acknowledged, tcp.acknowledgment)) return;
    sent.hears = sent.acknowledges;
    sent.acknowledges = true;
    sent.acknowledged = tcp.acknowledgment;
    if (peer.stuck_length != 0 && before(peer.stuck_sequence, tcp.acknowledgment)) peer.stuck_length = 0;
}

void note_events(FlowTable& flows, Flow& flow, Side side, const Packet& packet, Time time, PacketNumber number,
                 bool repeated) {
    const Tcp& tcp = packet.tcp;
    Event event{.time = time, .packet = number, .side = side, .time_to_live = packet.time_to_live};
    OneWay& sent = flow.of(side);
    if (tcp.has(flag::syn)) {
        sent.opened = true;
        sent.initial_sequence = tcp.sequence;
        sent.maximum_segment = tcp.maximum_segment;
        event.kind = tcp.has(flag::ack) ? Event::Kind::syn_ack : Event::Kind::syn;
        event.value = tcp.acknowledgment;
    } else if (tcp.has(flag::rst)) {
        sent.reset = true;
        event.kind = Event::Kind::reset;
        event.value = tcp.acknowledgment;
        event.acknowledges = tcp.has(flag::ack);
    } else if (repeated) {
        event.kind = Event::Kind::repeated;
        event.value = tcp.sequence;
    } else {
        return;
    }
    flows.note(flow, event);
}

void establish(Flow& flow, Side side, const Tcp& tcp) {
    const OneWay& server = flow.of(Side::server);
    if (flow.established || side != Side::client || !flow.of(Side::client).opened || !server.opened) return;
    flow.established = tcp.has(flag::ack) && !tcp.has(flag::rst) && tcp.acknowledgment != server.initial_sequence;
}

}  // namespace

std::optional<Tracked> track(Scene& scene, const Packet& packet, Time time, PacketNumber number, std::uint8_t vantage) {
    if (!packet.transport) return std::nullopt;
    const SocketAddress source{packet.source, packet.source_port};
    const SocketAddress destination{packet.destination, packet.destination_port};
    const bool tcp = packet.protocol == packet::protocol::tcp;
    if (!tcp && packet.protocol != packet::protocol::udp) return std::nullopt;
    auto found = tcp ? tcp_flow(scene.flows, packet, source, destination, vantage)
                     : scene.flows.find(source, destination, packet.protocol, vantage);
    if (found.flow == nullptr) {
        found = {&scene.flows.add(source, destination, packet.protocol, vantage), Side::client};
    }
    Flow& flow = *found.flow;
    OneWay& sent = flow.of(found.side);
    if (sent.packets == 0) scene.saw_host(packet.source, packet.time_to_live);
    Tracked out{.flow = &flow, .side = found.side};
    if (tcp) {
        OneWay& peer = flow.of(other(found.side));
        out.repeated = follow_sequence(sent, peer, packet, time);
        acknowledge(sent, peer, packet.tcp);
        note_events(scene.flows, flow, found.side, packet, time, number, out.repeated);
        establish(flow, found.side, packet.tcp);
        const bool ends = packet.tcp.has(flag::fin) || packet.tcp.has(flag::rst);
        if (ends && sent.end_time == 0) sent.end_time = time;
        sent.finished = sent.finished || packet.tcp.has(flag::fin);
    }
    count(sent, packet, time, number);
    return out;
}

void track_icmp(Scene& scene, const Packet& packet, Time time, PacketNumber number, std::uint8_t vantage) {
    const auto& icmp = packet.icmp;
    if (!icmp.quotes) return;
    const auto found =
        scene.flows.find({icmp.quoted.source, icmp.quoted.source_port},
                         {icmp.quoted.destination, icmp.quoted.destination_port}, icmp.quoted.protocol, vantage);
    if (found.flow == nullptr) return;
    const auto index = scene.flows.keep({.reporter = packet.source,
                                         .mtu = icmp.mtu,
                                         .type = icmp.type,
                                         .code = icmp.code,
                                         .v6 = packet.protocol == packet::protocol::icmp_v6});
    scene.flows.note(*found.flow, {.time = time,
                                   .packet = number,
                                   .value = index,
                                   .kind = Event::Kind::icmp,
                                   .side = other(found.side),
                                   .time_to_live = packet.time_to_live});
}

}  // namespace sallyport::diagnose
