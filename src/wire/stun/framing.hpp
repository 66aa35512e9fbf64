// What comes on one socket beside STUN messages, told by the first bytes (RFC 7983 section 7), and how messages and
// channel data follow one another in a stream (RFC 8656 section 12.5).
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::stun {

/// RFC 8656 section 12 binds up to 0x4FFF; clients of RFC 5766 use all of these.
inline constexpr std::uint16_t first_channel = 0x4000;
inline constexpr std::uint16_t last_channel = 0x7FFF;
constexpr bool is_channel(std::uint16_t number) { return number >= first_channel && number <= last_channel; }

enum class PacketKind : std::uint8_t { stun, channel_data, dtls, other };

/// @param first  the first byte of a datagram or connection
constexpr PacketKind kind_of(std::byte first) {
    const auto value = std::to_integer<unsigned>(first);
    if (value < 4) return PacketKind::stun;
    if (value >= 64 && value < 128) return PacketKind::channel_data;  // 80 to 127 are channels of RFC 5766
    if (value >= 20 && value < 64) return PacketKind::dtls;
    return PacketKind::other;
}

struct ChannelData {
    std::uint16_t number = 0;
    Bytes data;
};

inline constexpr std::size_t channel_head_size = 4;

/// Reads a datagram or a frame; bytes behind the data are padding. Nothing when it is shorter than it says, or its
/// number is no channel's.
std::optional<ChannelData> read_channel_data(Bytes bytes);

/// @param size  bytes of data, at most 65535
std::array<std::byte, channel_head_size> channel_head(std::uint16_t number, std::size_t size);

/// What clients of STUN and TURN offer by ALPN in their handshake (RFC 7443 section 3).
inline constexpr std::array<std::string_view, 2> alpn_protocols{"stun.turn", "stun.nat-discovery"};

/// Where the first message or channel data of a stream ends.
struct Frame {
    enum class State : std::uint8_t { need_more, complete, malformed };

    State state = State::need_more;
    std::size_t size = 0;  // with padding; once four bytes are there, even where the rest is not
};

/// The largest frame there can be.
inline constexpr std::size_t max_frame = 20 + 0xFFFF;

/// @param bytes  of the stream, from the end of the last frame; refused at the first byte that makes it wrong.
Frame next_frame(Bytes bytes);

}  // namespace sallyport::stun
