// Reading BER (X.690 section 8) as narrowly as LDAP allows it (RFC 4511 section 5.1): definite lengths only, strings in
// one piece. Leading zeros in a length are legal and common: some clients write each length in four octets.
//
// A reader knows the end of what contains it, so that no child can be larger than its parent; it allocates nothing.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/ber/tag.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace sallyport::ber {

inline constexpr unsigned max_depth = 8;  // constructed elements in one another, the outermost counted

enum class Error : std::uint8_t {
    high_tag,  // a tag number of more than one octet
    indefinite_length,  // 80
    length_too_wide,  // more than four octets behind the first
    beyond_parent,  // larger than what contains it, or cut off
    wrong_tag,  // another element than what has to stand here, or none
    constructed_string,  // an OCTET STRING in pieces
    bad_integer,  // no octet, more than four, or outside the range that its place allows
    too_deep,  // more than max_depth
    trailing,  // something behind the last element that may stand here
};

/// A phrase for people, in lower case, without a period.
std::string_view text(Error error);

/// The identifier and the length in front of an element's contents.
struct Header {
    std::uint8_t tag = 0;
    std::uint8_t size = 0;  // octets of the header itself: 2 to max_header
    std::uint32_t length = 0;  // octets of contents behind it
};

inline constexpr std::size_t max_header = 6;
inline constexpr std::uint8_t long_form = 0x80;  // the first octet of a length that takes more; below, it is the length

/// What read_header() asks where the length has more than one octet, or something is missing or wrong.
Result<std::optional<Header>, Error> read_header_of_any_form(Bytes bytes);

/// The header at the front; nothing while it is not whole. Here, to be inlined: nearly all are as short as can be.
inline Result<std::optional<Header>, Error> read_header(Bytes bytes) {
    if (bytes.size() >= 2) {
        const auto tag = std::to_integer<std::uint8_t>(bytes[0]);
        const auto length = std::to_integer<std::uint8_t>(bytes[1]);
        if (!is_high_tag(tag) && length < long_form) return Header{.tag = tag, .size = 2, .length = length};
    }
    return read_header_of_any_form(bytes);
}

/// The number that the contents of an INTEGER or ENUMERATED say: four octets at most. More octets than it needs are put
/// up with: some encoders fill up to four.
inline Result<std::int32_t, Error> read_number(Bytes contents) {
    if (contents.empty() || contents.size() > sizeof(std::int32_t)) return fail(Error::bad_integer);
    const bool negative = (contents.front() & std::byte{0x80}) != std::byte{0};
    std::uint32_t value = negative ? ~std::uint32_t{0} : 0;  // the sign fills up what is not written
    for (const std::byte octet : contents) value = value << 8 | std::to_integer<std::uint32_t>(octet);
    return static_cast<std::int32_t>(value);
}

struct Element {
    std::uint8_t tag = 0;
    Bytes contents = {};
};

/// Reads one level, the contents of a constructed element, front to back. After an error it is not to be used again.
class Reader {
public:
    Reader() = default;
    /// @param depth  constructed elements around these contents.
    explicit Reader(Bytes contents, unsigned depth = 0) : rest_(contents), depth_(depth) {}

    bool empty() const { return rest_.empty(); }
    Bytes rest() const { return rest_; }

    /// Whether the next element has this tag; false where there is none.
    bool next_is(std::uint8_t tag) const { return !rest_.empty() && std::to_integer<std::uint8_t>(rest_[0]) == tag; }

    /// The next element, whatever it is.
    Result<Element, Error> next();
    /// The contents of the next element, which has to have this tag: the constructed bit counts.
    Result<Bytes, Error> take(std::uint8_t tag);
    Result<std::string_view, Error> octets(std::uint8_t tag = octet_string_tag);
    /// What read_number() makes of the next element.
    Result<std::int32_t, Error> integer(std::uint8_t tag = integer_tag);
    /// A reader of the next element's contents, one level deeper.
    Result<Reader, Error> enter(std::uint8_t tag);

    /// What may follow the last known component of an LDAP sequence: elements of the context class that this version
    /// does not know (RFC 4511 section 4). A known one that comes again or too late is refused.
    /// @param known  tags of the context class that the sequence defines, primitive or constructed.
    Result<void, Error> finish(std::initializer_list<std::uint8_t> known = {}) const;

    /// Walks all that is in here, to the last leaf: each element whole, within its parent, not too deep.
    Result<void, Error> check() const;

private:
    Bytes rest_;
    unsigned depth_ = 0;
};

}  // namespace sallyport::ber
