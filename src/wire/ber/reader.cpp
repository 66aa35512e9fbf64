#include "wire/ber/reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport::ber {

namespace {

constexpr std::size_t max_length_octets = 4;
constexpr std::uint8_t end_of_contents_tag = 0x00;  // belongs to indefinite lengths

constexpr std::array<std::string_view, 9> texts = {
    "a tag number of more than one octet",  "an indefinite length",
    "a length of more than four octets",    "an element that is larger than what contains it",
    "an element that does not belong here", "an OCTET STRING in pieces",
    "a number that is out of range",        "elements nested too deep",
    "something behind the last element",
};
static_assert(std::to_underlying(Error::trailing) + 1 == texts.size());

}  // namespace

std::string_view text(Error error) { return texts[std::to_underlying(error)]; }

Result<std::optional<Header>, Error> read_header_of_any_form(Bytes bytes) {
    ByteReader reader(bytes);
    const auto tag = reader.u8();
    if (tag && is_high_tag(*tag)) return fail(Error::high_tag);
    const auto first = reader.u8();
    if (!first) return std::nullopt;
    if (*first < long_form) return Header{.tag = *tag, .size = 2, .length = *first};
    if (*first == long_form) return fail(Error::indefinite_length);
    const std::size_t octets = *first - long_form;
    if (octets > max_length_octets) return fail(Error::length_too_wide);
    if (reader.remaining() < octets) return std::nullopt;
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < octets; ++i) length = length << 8 | *reader.u8();
    return Header{.tag = *tag, .size = static_cast<std::uint8_t>(2 + octets), .length = length};
}

Result<Element, Error> Reader::next() {
    const auto header = read_header(rest_);
    if (!header) return fail(header.error());
    if (!*header || (*header)->length > rest_.size() - (*header)->size) return fail(Error::beyond_parent);
    const Element element{.tag = (*header)->tag, .contents = rest_.subspan((*header)->size, (*header)->length)};
    rest_ = rest_.subspan((*header)->size + element.contents.size());
    return element;
}

Result<Bytes, Error> Reader::take(std::uint8_t tag) {
    if (!next_is(tag)) {
        const bool in_pieces = !is_constructed(tag) && next_is(tag | constructed_bit);
        return fail(in_pieces ? Error::constructed_string : Error::wrong_tag);
    }
    const auto element = next();
    if (!element) return fail(element.error());
    return element->contents;
}

Result<std::string_view, Error> Reader::octets(std::uint8_t tag) {
    const auto contents = take(tag);
    if (!contents) return fail(contents.error());
    return as_text(*contents);
}

Result<std::int32_t, Error> Reader::integer(std::uint8_t tag) {
    const auto contents = take(tag);
    if (!contents) return fail(contents.error());
    return read_number(*contents);
}

Result<Reader, Error> Reader::enter(std::uint8_t tag) {
    if (depth_ >= max_depth) return fail(Error::too_deep);
    const auto contents = take(tag);
    if (!contents) return fail(contents.error());
    return Reader(*contents, depth_ + 1);
}

Result<void, Error> Reader::finish(std::initializer_list<std::uint8_t> known) const {
    for (Reader reader = *this; !reader.empty();) {
        const auto element = reader.next();
        if (!element) return fail(Error::trailing);
        const auto same = [&](std::uint8_t tag) { return (tag | constructed_bit) == (element->tag | constructed_bit); };
        const bool extension = (element->tag & class_bits) == context_class && std::ranges::none_of(known, same);
        if (!extension) return fail(Error::trailing);
    }
    return {};
}

Result<void, Error> Reader::check() const {
    std::array<std::size_t, max_depth> ends;  // a stack: nothing from outside decides how deep a call goes
    std::size_t level = 0;
    std::size_t end = rest_.size();  // where the parent of the element at hand ends
    for (std::size_t at = 0;;) {
        if (at == end) {
            if (level == 0) return {};
            end = ends[--level];
            continue;
        }
        const auto header = read_header(rest_.subspan(at, end - at));
        if (!header) return fail(header.error());
        if (!*header || (*header)->length > end - at - (*header)->size) return fail(Error::beyond_parent);
        const std::uint8_t tag = (*header)->tag;
        if (tag == end_of_contents_tag) return fail(Error::wrong_tag);
        if (tag == (octet_string_tag | constructed_bit)) return fail(Error::constructed_string);
        at += (*header)->size;
        if (!is_constructed(tag)) {
            at += (*header)->length;
            continue;
        }
        if (depth_ + level >= max_depth) return fail(Error::too_deep);
        ends[level++] = end;
        end = at + (*header)->length;
    }
}

}  // namespace sallyport::ber
