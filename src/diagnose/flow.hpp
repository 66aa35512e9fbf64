// A flow: the packets of two endpoints and one transport, as counts and a few events, never the packets themselves.
#pragma once

#include "base/address.hpp"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace sallyport::diagnose {

using Time = std::int64_t;  // nanoseconds since 1970, as captured

/// A packet by its place: the number of its file above file_shift, and below its number in that file, from 1.
using PacketNumber = std::uint64_t;
inline constexpr unsigned file_shift = 40;
constexpr std::uint64_t in_file(PacketNumber packet) { return packet & ((PacketNumber{1} << file_shift) - 1); }
constexpr std::size_t file_of(PacketNumber packet) { return packet >> file_shift; }
inline constexpr std::uint32_t none = 0xFFFFFFFF;

constexpr double seconds(Time from, Time to) { return static_cast<double>(to - from) / 1e9; }

/// client: who sent the SYN, or the first datagram. Of a TCP flow that was joined midway, the end with the higher port.
enum class Side : std::uint8_t { client, server };
constexpr Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

/// What one side has sent.
struct OneWay {
    Time first_time = 0;
    Time last_time = 0;
    Time payload_time = 0;  // of the first payload
    Time new_payload_time = 0;  // of the last payload that was not sent before
    Time stuck_time = 0;  // of the last repetition of the stuck segment
    Time end_time = 0;  // of its first FIN or RST
    std::uint64_t bytes = 0;  // of payload
    std::uint32_t packets = 0;
    std::uint32_t payload_packets = 0;
    PacketNumber first_packet = 0;
    PacketNumber payload_packet = 0;
    // TCP
    std::uint32_t initial_sequence = 0;  // where `opened`
    std::uint32_t next_sequence = 0;  // behind the highest byte sent; where `sequenced`
    std::uint32_t acknowledged = 0;  // the highest acknowledgment sent; where `acknowledges`
    std::uint32_t stuck_sequence = 0;  // the oldest segment that had to be repeated and was not acknowledged since
    std::uint32_t stuck_length = 0;  // bytes of it; 0: nothing is stuck
    std::uint16_t stuck_count = 0;  // repetitions
    std::uint16_t maximum_segment = 0;  // as its SYN states
    std::uint8_t time_to_live = 0;  // of the first packet
    bool opened = false;  // its SYN was seen
    bool sequenced = false;
    bool acknowledges = false;
    bool hears = false;  // its acknowledgments went on: the other side sends
    bool finished = false;  // its FIN was seen
    bool reset = false;  // its RST was seen
};

struct Flow {
    SocketAddress client, server;
    std::uint8_t protocol = 0;
    std::uint8_t vantage = 0;  // files that are not a continuation of one another are places of capture of their own
    std::uint8_t events = 0;
    bool established = false;  // the handshake was seen whole
    std::uint32_t number = 0;  // in order of appearance, from 0
    std::uint32_t twin_of = none;  // the flow that is the same connection on the other side of a NAT, and came first
    std::uint32_t first_event = none, last_event = none;
    std::array<OneWay, 2> sent;

    bool is_twin() const { return twin_of != none; }
    const OneWay& of(Side side) const { return sent[static_cast<std::size_t>(side)]; }
    OneWay& of(Side side) { return sent[static_cast<std::size_t>(side)]; }
    const SocketAddress& end(Side side) const { return side == Side::client ? client : server; }
    Time begin() const {
        return of(Side::client).packets > 0 ? of(Side::client).first_time : of(Side::server).first_time;
    }
};

inline constexpr std::uint8_t max_events = 200;  // of one flow; what comes later is not kept

/// Something in a flow that a verdict may rest on.
struct Event {
    enum class Kind : std::uint8_t { syn, syn_ack, reset, icmp, repeated };

    Time time = 0;
    PacketNumber packet = 0;
    std::uint32_t next = none;
    std::uint32_t value = 0;  // icmp: index of the error; reset: its acknowledgment; syn_ack: what it acknowledges
    Kind kind = Kind::syn;
    Side side = Side::client;
    std::uint8_t time_to_live = 0;
    bool acknowledges = false;  // of a reset: the flag
};

/// An ICMP error about a flow.
struct IcmpError {
    IpAddress reporter;
    std::uint32_t mtu = 0;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    bool v6 = false;

    auto operator<=>(const IcmpError&) const = default;
};

}  // namespace sallyport::diagnose
