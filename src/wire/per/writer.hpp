// Writing aligned PER (X.691), as far as a few answers of our own need it.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>

namespace sallyport::per {

/// Writes front to back into memory of a fixed size. What does not fit is dropped and remembered.
class Writer {
public:
    explicit Writer(MutableBytes room) : room_(room) {}

    void bit(bool value) { bits(value ? 1 : 0, 1); }
    /// The lowest `count` bits, at most 32.
    void bits(std::uint32_t value, unsigned count);
    /// On to the next octet boundary, with zeros.
    void align() { position_ = (position_ + 7) / 8 * 8; }
    /// Octets at the next octet boundary.
    void octets(Bytes value);
    /// A number in two octets: of a range from 257 to 65536 (section 11.5.7.3).
    void number_16(std::uint16_t above_low);
    /// Less than 64 (section 11.6).
    void small_number(std::uint32_t value) { bits(value, 7); }
    /// Less than 16384 (section 11.9).
    void length(std::size_t value);
    /// An open type (section 11.2), or an OCTET STRING: octets behind their length.
    void open(Bytes contents);

    bool ok() const { return ok_; }
    /// Empty unless ok().
    Bytes written() const { return ok_ ? Bytes(room_.first((position_ + 7) / 8)) : Bytes(); }

private:
    MutableBytes room_;
    std::size_t position_ = 0;  // bits
    bool ok_ = true;
};

}  // namespace sallyport::per
