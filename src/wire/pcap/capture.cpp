#include "wire/pcap/capture.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sallyport::pcap {

namespace {

constexpr std::uint32_t microseconds_magic = 0xA1B2C3D4;
constexpr std::uint32_t nanoseconds_magic = 0xA1B23C4D;
constexpr std::uint32_t section_type = 0x0A0D0D0A;  // reads the same in both byte orders
constexpr std::uint16_t major_version = 2;

template <class T>
T little(Bytes bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    return value;
}

template <class T>
T in_order(Bytes bytes, std::size_t at, bool swapped) {
    const T value = little<T>(bytes, at);
    return swapped ? std::byteswap(value) : value;
}

Step need(std::size_t wanted) { return {.what = Step::What::need_more, .wanted = wanted}; }
Step broken(FileError error) { return {.what = Step::What::broken, .error = error}; }

}  // namespace

std::string_view text(FileError error) {
    switch (error) {
        case FileError::not_a_capture: return "not a capture file: neither pcap nor pcapng";
        case FileError::unsupported_version: return "a version of the file format that is not known";
        case FileError::frame_too_large: return "a length that no captured frame has";
        case FileError::bad_block: return "a block whose lengths contradict each other";
        case FileError::unknown_interface: return "a packet of an interface that was not described";
        case FileError::too_many_interfaces: return "more interfaces than are read";
    }
    return "unknown";
}

// Callers have made sure that the bytes are there.
std::uint16_t Reader::u16(Bytes bytes, std::size_t at) const { return in_order<std::uint16_t>(bytes, at, swapped_); }
std::uint32_t Reader::u32(Bytes bytes, std::size_t at) const { return in_order<std::uint32_t>(bytes, at, swapped_); }
std::uint64_t Reader::u64(Bytes bytes, std::size_t at) const { return in_order<std::uint64_t>(bytes, at, swapped_); }

Step Reader::next(Bytes input, Frame& frame) {
    switch (format_) {
        case Format::unknown: return begin(input);
        case Format::pcap: return next_record(input, frame);
        case Format::pcapng: return next_block(input, frame);
    }
    return broken(FileError::not_a_capture);
}

Step Reader::begin(Bytes input) {
    if (input.size() < 4) return need(4);
    if (little<std::uint32_t>(input, 0) == section_type) {
        format_ = Format::pcapng;
        return {.what = Step::What::passed};
    }
    return begin_pcap(input);
}

Step Reader::begin_pcap(Bytes input) {
    const auto magic = little<std::uint32_t>(input, 0);
    swapped_ = magic == std::byteswap(microseconds_magic) || magic == std::byteswap(nanoseconds_magic);
    const auto kind = swapped_ ? std::byteswap(magic) : magic;
    if (kind != microseconds_magic && kind != nanoseconds_magic) return broken(FileError::not_a_capture);
    if (input.size() < file_head_size) return need(file_head_size);
    if (u16(input, 4) != major_version) return broken(FileError::unsupported_version);
    format_ = Format::pcap;
    Interface only;
    only.link_type = static_cast<std::uint16_t>(u32(input, 20));  // the upper half tells of frame check sequences
    only.ticks_per_second = kind == nanoseconds_magic ? 1'000'000'000 : 1'000'000;
    interfaces_.push_back(only);
    return {.what = Step::What::passed, .consumed = file_head_size};
}

Step Reader::next_record(Bytes input, Frame& frame) {
    if (input.size() < record_head_size) return need(record_head_size);
    const std::uint32_t captured = u32(input, 8);
    if (captured > max_frame) return broken(FileError::frame_too_large);
    const std::size_t whole = record_head_size + captured;
    if (input.size() < whole) return need(whole);
    const std::int64_t fraction = u32(input, 4);
    const auto& only = interfaces_.front();
    frame.time =
        std::int64_t{u32(input, 0)} * 1'000'000'000 + fraction * (only.ticks_per_second == 1'000'000'000 ? 1 : 1000);
    frame.interface = 0;
    frame.link_type = only.link_type;
    frame.bytes = input.subspan(record_head_size, captured);
    frame.original_length = std::max(u32(input, 12), captured);
    return {.what = Step::What::frame, .consumed = whole};
}

void write_file_head(ByteWriter& out, std::uint16_t link_type) {
    const auto u32 = [&out](std::uint32_t value) { out.u32(std::byteswap(value)); };
    u32(nanoseconds_magic);
    out.u16(std::byteswap(major_version));
    out.u16(std::byteswap(std::uint16_t{4}));
    u32(0);  // the time zone and its accuracy: always 0
    u32(0);
    u32(max_frame);
    u32(link_type);
}

void write_record_head(ByteWriter& out, const Frame& frame) {
    const auto u32 = [&out](std::uint64_t value) { out.u32(std::byteswap(static_cast<std::uint32_t>(value))); };
    const auto time = static_cast<std::uint64_t>(std::max<std::int64_t>(frame.time, 0));
    u32(time / 1'000'000'000);
    u32(time % 1'000'000'000);
    u32(frame.bytes.size());
    u32(frame.original_length);
}

}  // namespace sallyport::pcap
