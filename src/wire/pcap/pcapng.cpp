// The blocks of pcapng.
#include "wire/pcap/capture.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

namespace sallyport::pcap {

namespace {

enum BlockType : std::uint32_t {
    section_block = 0x0A0D0D0A,
    description_block = 1,
    obsolete_packet_block = 2,
    simple_packet_block = 3,
    statistics_block = 5,
    enhanced_packet_block = 6,
    secrets_block = 10,
};
constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::size_t block_head = 8;  // bytes: type and total length
constexpr std::size_t block_frame = 12;  // the same and the total length again at the end
constexpr std::size_t section_head = 16;  // bytes up to the version

constexpr std::uint16_t option_end = 0, option_name = 2, option_resolution = 9, option_offset = 14;
constexpr std::uint16_t option_missed = 5, option_missed_by_system = 7;
constexpr std::uint32_t tls_key_log = 0x544C534B;
constexpr std::size_t max_interface_name = 256;  // bytes kept

Step need(std::size_t wanted) { return {.what = Step::What::need_more, .wanted = wanted}; }
Step broken(FileError error) { return {.what = Step::What::broken, .error = error}; }
constexpr Step passed{.what = Step::What::passed};

bool is_of_interest(std::uint32_t type) {
    return type <= enhanced_packet_block || type == secrets_block ||
           type == section_block;  // 4, names, is small or skipped by its length
}

// if_tsresol: a power of ten, or of two where the highest bit is set. Nothing for a clock finer than 64 bits hold.
std::optional<std::uint64_t> ticks_of(std::uint8_t resolution) {
    const unsigned exponent = resolution & 0x7F;
    if ((resolution & 0x80) != 0) return exponent < 64 ? std::optional(std::uint64_t{1} << exponent) : std::nullopt;
    if (exponent > 19) return std::nullopt;
    std::uint64_t ticks = 1;
    for (unsigned i = 0; i < exponent; ++i) ticks *= 10;
    return ticks;
}

// Held to what differences can be taken of without an overflow: 1970 to 2116.
std::int64_t nanoseconds(std::uint64_t ticks, const Interface& interface) {
    constexpr __int128 billion = 1'000'000'000;
    const __int128 per_second = interface.ticks_per_second;
    const __int128 time = __int128{interface.offset_seconds} * billion + __int128{ticks} * billion / per_second;
    return static_cast<std::int64_t>(std::clamp<__int128>(time, 0, max_time));
}

}  // namespace

Step Reader::next_block(Bytes input, Frame& frame) {
    if (skip_ > 0) {
        const std::size_t part = std::min(skip_, input.size());
        skip_ -= part;
        if (part == 0) return need(1);
        return {.what = Step::What::passed, .consumed = part};
    }
    if (input.size() < block_head) return need(block_head);
    if (begins_section(input)) return section(input);
    const std::uint32_t type = u32(input, 0);
    const std::uint32_t length = u32(input, 4);
    if (length < block_frame || length % 4 != 0) return broken(FileError::bad_block);
    if (length > max_block || !is_of_interest(type)) {
        lacks_secrets_ = lacks_secrets_ || type == secrets_block;
        if (is_of_interest(type) && type != secrets_block) return broken(FileError::frame_too_large);
        skip_ = length;
        return passed;
    }
    if (input.size() < length) return need(length);
    if (u32(input, length - 4) != length) return broken(FileError::bad_block);
    Step step = block(type, input.subspan(block_head, length - block_frame), frame);
    if (step.what != Step::What::broken) step.consumed = length;
    return step;
}

bool Reader::begins_section(Bytes input) {
    std::uint32_t type = 0;
    std::memcpy(&type, input.data(), sizeof type);
    return type == section_block;
}

// A section sets the byte order, for itself and what follows, and begins the numbers of interfaces anew.
Step Reader::section(Bytes input) {
    if (input.size() < section_head) return need(section_head);
    swapped_ = false;
    swapped_ = u32(input, 8) != byte_order_magic;
    if (u32(input, 8) != byte_order_magic) return broken(FileError::bad_block);
    const std::uint32_t length = u32(input, 4);
    if (length < block_frame + 16 || length % 4 != 0) return broken(FileError::bad_block);
    if (u16(input, 12) != 1) return broken(FileError::unsupported_version);
    section_start_ = interfaces_.size();
    skip_ = length;
    return passed;
}

Step Reader::block(std::uint32_t type, Bytes body, Frame& frame) {
    switch (type) {
        case description_block: return description(body);
        case enhanced_packet_block: return enhanced_packet(body, frame);
        case simple_packet_block: return simple_packet(body, frame);
        case obsolete_packet_block: return obsolete_packet(body, frame);
        case statistics_block: statistics(body); return passed;
        case secrets_block: secrets(body); return passed;
        default: return passed;
    }
}

template <class Use>
void Reader::each_option(Bytes options, const Use& use) const {
    while (options.size() >= 4) {
        const std::uint16_t code = u16(options, 0);
        const std::size_t length = u16(options, 2);
        options = options.subspan(4);
        if (code == option_end || length > options.size()) return;
        use(code, options.first(length));
        options = options.subspan(std::min(options.size(), (length + 3) & ~std::size_t{3}));
    }
}

Step Reader::description(Bytes body) {
    if (body.size() < 8) return broken(FileError::bad_block);
    if (interfaces_.size() >= max_interfaces) return broken(FileError::too_many_interfaces);
    Interface interface;
    interface.link_type = u16(body, 0);
    if (interfaces_.size() == section_start_) snap_length_ = u32(body, 4);  // simple packets are of the first
    bool readable = true;
    each_option(body.subspan(8), [&](std::uint16_t code, Bytes value) {
        if (code == option_name) interface.name = as_text(value.first(std::min(value.size(), max_interface_name)));
        if (code == option_resolution && !value.empty()) {
            const auto ticks = ticks_of(std::to_integer<std::uint8_t>(value[0]));
            readable = readable && ticks.has_value();
            interface.ticks_per_second = ticks.value_or(1);
        }
        if (code == option_offset && value.size() == 8) {
            interface.offset_seconds = static_cast<std::int64_t>(u64(value, 0));
        }
    });
    if (!readable) return broken(FileError::bad_block);
    interfaces_.push_back(std::move(interface));
    return passed;
}

Step Reader::enhanced_packet(Bytes body, Frame& frame) {
    if (body.size() < 20) return broken(FileError::bad_block);
    const std::uint64_t ticks = std::uint64_t{u32(body, 4)} << 32 | u32(body, 8);
    return packet(u32(body, 0), ticks, u32(body, 12), u32(body, 16), body.subspan(20), frame);
}

// Has no time: the frame keeps that of the one before.
Step Reader::simple_packet(Bytes body, Frame& frame) {
    if (body.size() < 4) return broken(FileError::bad_block);
    const std::uint32_t original = u32(body, 0);
    const std::uint32_t limit = snap_length_ == 0 ? original : std::min(original, snap_length_);
    const std::int64_t time = frame.time;
    const Step step =
        packet(0, 0, std::min(limit, static_cast<std::uint32_t>(body.size() - 4)), original, body.subspan(4), frame);
    frame.time = time;
    return step;
}

Step Reader::obsolete_packet(Bytes body, Frame& frame) {
    if (body.size() < 20) return broken(FileError::bad_block);
    const std::uint64_t ticks = std::uint64_t{u32(body, 4)} << 32 | u32(body, 8);
    return packet(u16(body, 0), ticks, u32(body, 12), u32(body, 16), body.subspan(20), frame);
}

Step Reader::packet(std::uint32_t interface, std::uint64_t ticks, std::uint32_t captured, std::uint32_t original,
                    Bytes data, Frame& frame) const {
    if (interface >= interfaces_.size() - section_start_) return broken(FileError::unknown_interface);
    if (captured > max_frame) return broken(FileError::frame_too_large);
    if (captured > data.size()) return broken(FileError::bad_block);
    frame.interface = static_cast<std::uint32_t>(section_start_) + interface;
    const auto& place = interfaces_[frame.interface];
    frame.time = nanoseconds(ticks, place);
    frame.link_type = place.link_type;
    frame.bytes = data.first(captured);
    frame.original_length = std::max(original, captured);
    return {.what = Step::What::frame};
}

// A block of another kind, or whose length lies, holds nothing for anybody.
void Reader::secrets(Bytes body) {
    if (body.size() < 8 || u32(body, 0) != tls_key_log || u32(body, 4) > body.size() - 8) return;
    const auto text = as_text(body.subspan(8, u32(body, 4)));
    if (text.size() >= max_secrets - tls_secrets_.size()) {
        lacks_secrets_ = true;
        return;
    }
    tls_secrets_ += text;
    if (!text.empty() && text.back() != '\n') tls_secrets_ += '\n';
}

void Reader::statistics(Bytes body) {
    if (body.size() < 12) return;
    const std::uint64_t interface = section_start_ + u32(body, 0);
    if (interface >= interfaces_.size()) return;
    std::uint64_t missed = 0;
    each_option(body.subspan(12), [&](std::uint16_t code, Bytes value) {
        if ((code == option_missed || code == option_missed_by_system) && value.size() == 8) missed += u64(value, 0);
    });
    interfaces_[interface].missed = missed;  // each block counts from the start
}

}  // namespace sallyport::pcap
