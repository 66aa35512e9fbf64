// Reading aligned PER (X.691), as far as H.225.0 uses it: bits first to last, octet boundaries counted from the start
// of the encoding at hand, no lengths in fragments of 16K.
//
// A reader knows the end of what contains it, so that no child can be larger than its parent; it allocates nothing.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::per {

enum class Error : std::uint8_t {
    none,
    beyond_end,  // more is announced than there is
    fragmented,  // a length of 16K or more, which comes in pieces (X.691 section 11.9.3.8)
    out_of_range,  // a number or a size outside the bounds of its type
    bad_character,  // one that its type does not have, or half a surrogate pair
    too_many,  // elements, or bits of an extension map
    too_deep,  // types in one another
    unknown_type,  // an alternative that is not described here and has no length
};

/// A phrase for people, in lower case, without a period.
std::string_view text(Error error);

/// Reads front to back. After its first error everything reads as nothing: ask ok() once at the end.
class Reader {
public:
    Reader() = default;
    explicit Reader(Bytes encoding) : bytes_(encoding) {}

    bool ok() const { return error_ == Error::none; }
    Error error() const { return error_; }
    /// The first error stays.
    void fail(Error error) {
        if (ok()) error_ = error;
    }

    bool bit() { return bits(1) != 0; }
    /// The next `count` bits as a number, the first the most significant; `count` is 0 to 64.
    std::uint64_t bits(unsigned count);
    /// On to the next octet boundary.
    void align() { position_ = (position_ + 7) / 8 * 8; }
    /// On to the next octet boundary, and the octets there: a view into what was given.
    Bytes octets(std::size_t count);

    /// A whole number of low..high (X.691 section 11.5).
    std::uint32_t number(std::uint32_t low, std::uint32_t high);
    /// A number that is mostly less than 64: of an extension addition (section 11.6).
    std::uint32_t small_number();
    /// How many octets, characters or elements follow: 0 to 16383 (section 11.9).
    std::size_t length();
    /// The same where the type has bounds for it, `high` below 65536.
    std::size_t length(std::uint32_t low, std::uint32_t high) { return number(low, high); }
    /// The encoding inside an open type (section 11.2). This reader goes on behind it, whatever is read inside.
    Reader open();

private:
    Bytes bytes_;
    std::size_t position_ = 0;  // bits
    Error error_ = Error::none;
};

}  // namespace sallyport::per
