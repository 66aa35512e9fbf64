// A detector sees packets and flows, and concludes findings. One file each under detectors/; detectors.cpp lists them.
#pragma once

#include "diagnose/finding.hpp"
#include "diagnose/scene.hpp"
#include "wire/packet/packet.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sallyport::diagnose {

/// One packet of a flow. References end with the call.
struct Sighting {
    const packet::Packet& packet;
    const Flow& flow;
    Side side;  // who sent it
    Time time;
    PacketNumber number;
    bool repeated;  // TCP: nothing in it was new

    const SocketAddress& sender() const { return flow.end(side); }
    const SocketAddress& receiver() const { return flow.end(other(side)); }
};

class Detector {
public:
    virtual ~Detector() = default;
    /// Each packet with a payload, of the transport that its row in the table names.
    virtual void see(const Sighting&, Scene&) {}
    /// Once, at the end.
    virtual void conclude(const Scene& scene, Findings& findings) = 0;
};

enum class Sees : std::uint8_t { nothing, tcp, udp, both };

struct DetectorRow {
    std::string_view name;
    Sees sees = Sees::nothing;
    std::unique_ptr<Detector> (*make)() = nullptr;
};

/// Every detector in this build, in the order of the manual.
std::span<const DetectorRow> detectors();

}  // namespace sallyport::diagnose
