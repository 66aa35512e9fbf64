// Views of bytes, and reading integers out of them in network order. Nothing here allocates and nothing here
// reads past the end: a short view is an answer, not a crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Reads front to back. A read that does not fit answers nothing and takes nothing.
class ByteReader {
public:
    explicit ByteReader(Bytes bytes) : rest_(bytes) {}

    Bytes rest() const { return rest_; }
    std::size_t remaining() const { return rest_.size(); }
    bool empty() const { return rest_.empty(); }

    std::optional<std::uint8_t> u8() { return number<std::uint8_t>(); }
    std::optional<std::uint16_t> u16() { return number<std::uint16_t>(); }
    std::optional<std::uint32_t> u24() { return narrow<std::uint32_t>(3); }
    std::optional<std::uint32_t> u32() { return number<std::uint32_t>(); }
    std::optional<std::uint64_t> u64() { return number<std::uint64_t>(); }

    /// The next `count` bytes, a view into what was given.
    std::optional<Bytes> take(std::size_t count) {
        if (count > rest_.size()) return std::nullopt;
        const Bytes out = rest_.first(count);
        rest_ = rest_.subspan(count);
        return out;
    }

    /// A reader of the next `count` bytes alone: what a length field announces can't be overrun by its children.
    std::optional<ByteReader> sub(std::size_t count) {
        const auto bytes = take(count);
        if (!bytes) return std::nullopt;
        return ByteReader(*bytes);
    }

private:
    template <class T>
    std::optional<T> number() {
        return narrow<T>(sizeof(T));
    }

    template <class T>
    std::optional<T> narrow(std::size_t width) {
        if (rest_.size() < width) return std::nullopt;
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < width; ++i) value = value << 8 | std::to_integer<std::uint64_t>(rest_[i]);
        rest_ = rest_.subspan(width);
        return static_cast<T>(value);
    }

    Bytes rest_;
};

/// Writes into memory of a fixed size. A write that does not fit is dropped and remembered: ask ok() once at the end.
class ByteWriter {
public:
    explicit ByteWriter(MutableBytes room) : room_(room) {}

    void u8(std::uint8_t value) { number(value, 1); }
    void u16(std::uint16_t value) { number(value, 2); }
    void u24(std::uint32_t value) { number(value, 3); }
    void u32(std::uint32_t value) { number(value, 4); }
    void u64(std::uint64_t value) { number(value, 8); }
    void bytes(Bytes value) {
        if (!fits(value.size())) return;
        if (!value.empty()) std::memcpy(room_.data() + used_, value.data(), value.size());
        used_ += value.size();
    }
    void text(std::string_view value) { bytes(as_bytes(value)); }

    bool ok() const { return ok_; }
    std::size_t size() const { return used_; }
    Bytes written() const { return room_.first(used_); }

private:
    bool fits(std::size_t count) { return ok_ = ok_ && room_.size() - used_ >= count; }
    void number(std::uint64_t value, std::size_t width) {
        if (!fits(width)) return;
        for (std::size_t i = width; i-- > 0;) room_[used_++] = static_cast<std::byte>(value >> (8 * i));
    }

    MutableBytes room_;
    std::size_t used_ = 0;
    bool ok_ = true;
};

}  // namespace sallyport
