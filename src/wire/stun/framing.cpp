#include "wire/stun/framing.hpp"

#include "wire/stun/message.hpp"

#include <algorithm>

namespace sallyport::stun {

namespace {

constexpr std::array<std::byte, 4> cookie{std::byte{0x21}, std::byte{0x12}, std::byte{0xA4}, std::byte{0x42}};

// Does what there is of the cookie agree with it? A stranger is told by that before it has sent a whole message.
bool may_be_stun(Bytes bytes) {
    if (bytes.size() <= 4) return true;
    const Bytes there = bytes.subspan(4, std::min<std::size_t>(bytes.size() - 4, cookie.size()));
    return std::ranges::equal(there, Bytes(cookie).first(there.size()));
}

}  // namespace

std::optional<ChannelData> read_channel_data(Bytes bytes) {
    ByteReader reader(bytes);
    const auto number = reader.u16(), size = reader.u16();
    if (!size || !is_channel(*number)) return std::nullopt;
    const auto data = reader.take(*size);
    if (!data) return std::nullopt;
    return ChannelData{*number, *data};
}

std::array<std::byte, channel_head_size> channel_head(std::uint16_t number, std::size_t size) {
    return {static_cast<std::byte>(number >> 8), static_cast<std::byte>(number), static_cast<std::byte>(size >> 8),
            static_cast<std::byte>(size)};
}

Frame next_frame(Bytes bytes) {
    constexpr Frame malformed{.state = Frame::State::malformed};
    if (bytes.empty()) return {};
    const PacketKind kind = kind_of(bytes[0]);
    if (kind != PacketKind::stun && kind != PacketKind::channel_data) return malformed;
    if (kind == PacketKind::stun && !may_be_stun(bytes)) return malformed;
    ByteReader reader(bytes);
    const auto first = reader.u16(), length = reader.u16();
    if (!first || !length) return {};
    if (kind == PacketKind::stun && *length % 4 != 0) return malformed;
    const std::size_t head = kind == PacketKind::stun ? header_size : channel_head_size;
    const std::size_t size = head + *length + padding_after(*length);
    return {bytes.size() < size ? Frame::State::need_more : Frame::State::complete, size};
}

}  // namespace sallyport::stun
