// Keeps the flows up to date, packet by packet.
#pragma once

#include "diagnose/scene.hpp"
#include "wire/packet/packet.hpp"

#include <optional>

namespace sallyport::diagnose {

struct Tracked {
    Flow* flow = nullptr;
    Side side = Side::client;
    bool repeated = false;
};

/// A packet of TCP or UDP. Nothing for others.
std::optional<Tracked> track(Scene& scene, const packet::Packet& packet, Time time, PacketNumber number,
                             std::uint8_t vantage);

/// An ICMP error becomes an event of the flow that it quotes.
void track_icmp(Scene& scene, const packet::Packet& packet, Time time, PacketNumber number, std::uint8_t vantage);

}  // namespace sallyport::diagnose
