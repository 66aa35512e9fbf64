#include "wire/ber/writer.hpp"

#include <cstring>

namespace sallyport::ber {

namespace {

// Octets that a length needs behind its first; none up to 127.
std::size_t extra_length_octets(std::size_t length) {
    if (length < 0x80) return 0;
    std::size_t octets = 1;
    while (length >> (8 * octets) != 0) ++octets;
    return octets;
}

}  // namespace

void Writer::put(std::uint8_t octet) {
    if (fits(1)) room_[used_++] = std::byte{octet};
}

void Writer::begin(std::uint8_t tag) {
    if (depth_ == begun_.size()) ok_ = false;
    put(tag);
    put(0);  // the length, once it is known
    if (ok_) begun_[depth_++] = used_;
}

void Writer::end() {
    if (!ok_ || depth_ == 0) {
        ok_ = false;
        return;
    }
    const std::size_t start = begun_[--depth_];
    const std::size_t length = used_ - start;
    const std::size_t extra = extra_length_octets(length);
    if (!fits(extra)) return;
    if (extra == 0) {
        room_[start - 1] = static_cast<std::byte>(length);
        return;
    }
    std::memmove(room_.data() + start + extra, room_.data() + start, length);
    room_[start - 1] = static_cast<std::byte>(0x80 | extra);
    for (std::size_t i = 0; i < extra; ++i) room_[start + i] = static_cast<std::byte>(length >> (8 * (extra - 1 - i)));
    used_ += extra;
}

void Writer::integer(std::int32_t value, std::uint8_t tag) {
    // The fewest octets whose first bit is the sign (X.690 section 8.3.2).
    int octets = 4;
    while (octets > 1 && (value >> (8 * octets - 9) == 0 || value >> (8 * octets - 9) == -1)) --octets;
    put(tag);
    put(static_cast<std::uint8_t>(octets));
    while (octets-- > 0) put(static_cast<std::uint8_t>(value >> (8 * octets)));
}

void Writer::octets(std::string_view value, std::uint8_t tag) {
    put(tag);
    const std::size_t extra = extra_length_octets(value.size());
    put(static_cast<std::uint8_t>(extra == 0 ? value.size() : 0x80 | extra));
    for (std::size_t i = extra; i-- > 0;) put(static_cast<std::uint8_t>(value.size() >> (8 * i)));
    if (!fits(value.size()) || value.empty()) return;
    std::memcpy(room_.data() + used_, value.data(), value.size());
    used_ += value.size();
}

}  // namespace sallyport::ber
