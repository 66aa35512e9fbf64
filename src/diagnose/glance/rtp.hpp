// Is this datagram RTP (RFC 3550 section 5.1)? One alone can't tell; a row of them can.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <optional>

namespace sallyport::diagnose {

struct RtpGlance {
    std::uint32_t source = 0;  // SSRC
    std::uint32_t timestamp = 0;
    std::uint16_t sequence = 0;
    std::uint8_t payload_type = 0;
};

inline std::optional<RtpGlance> glance_rtp(Bytes datagram) {
    ByteReader reader(datagram);
    const auto first = reader.u8(), second = reader.u8();
    const auto sequence = reader.u16();
    const auto timestamp = reader.u32(), source = reader.u32();
    if (!source || *first >> 6 != 2) return std::nullopt;
    const auto type = static_cast<std::uint8_t>(*second & 0x7F);
    // 72 to 76 is RTCP on the same port (RFC 5761 section 4); 35 to 95 is not assigned.
    if (type > 34 && type < 96) return std::nullopt;
    return RtpGlance{.source = *source, .timestamp = *timestamp, .sequence = *sequence, .payload_type = type};
}

}  // namespace sallyport::diagnose
