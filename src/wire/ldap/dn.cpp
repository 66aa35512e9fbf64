#include "wire/ldap/dn.hpp"

#include "base/text.hpp"
#include "wire/ber/reader.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace sallyport::ldap {

namespace {

// BER strings that keep ASCII as it is: OCTET STRING, UTF8String, PrintableString, TeletexString, IA5String.
constexpr std::uint8_t string_tags[] = {0x04, 0x0C, 0x13, 0x14, 0x16};

constexpr std::string_view domain_component_names[] = {"dc", "domainComponent", "0.9.2342.19200300.100.1.25"};

// RFC 4514 section 3: what stands for itself only behind a backslash, and what may stand behind one besides.
constexpr std::string_view always_escaped = "\"+,;<>";
constexpr std::string_view may_be_escaped = "\"+,;<>\\ #=";

bool is_alpha(char c) { return to_lower(c) >= 'a' && to_lower(c) <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c)) return static_cast<unsigned>(c - '0');
    const char lower = to_lower(c);
    if (lower >= 'a' && lower <= 'f') return static_cast<unsigned>(lower - 'a' + 10);
    return std::nullopt;
}

// RFC 4512 section 1.4: keystring.
bool is_descriptor(std::string_view type) {
    return !type.empty() && is_alpha(type.front()) &&
           std::ranges::all_of(type, [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; });
}

// RFC 4512 section 1.4: numericoid, two numbers at least, none with a leading zero.
bool is_numeric_oid(std::string_view type) {
    std::size_t numbers = 0;
    for (;; ++numbers) {
        const std::size_t dot = type.find('.');
        const std::string_view number = type.substr(0, dot);
        if (number.empty() || !std::ranges::all_of(number, is_digit)) return false;
        if (number.size() > 1 && number.front() == '0') return false;
        if (dot == std::string_view::npos) return numbers > 0;
        type.remove_prefix(dot + 1);
    }
}

bool is_string(std::uint8_t tag) { return std::ranges::find(string_tags, tag) != std::end(string_tags); }

}  // namespace

DnReader::DnReader(std::string_view dn) : rest_(dn) { skip_spaces(); }

std::optional<DnAttribute> DnReader::fail() {
    malformed_ = true;
    rest_ = {};
    return std::nullopt;
}

char DnReader::take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
}

bool DnReader::take_if(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
}

void DnReader::skip_spaces() {
    while (take_if(' ')) continue;
}

std::optional<std::string_view> DnReader::read_type() {
    const std::size_t end = rest_.find_first_of(" =");
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view type = rest_.substr(0, end);
    rest_.remove_prefix(end);
    constexpr std::string_view prefix = "OID.";
    const bool prefixed = equals_ignoring_case(type.substr(0, prefix.size()), prefix);
    if (prefixed) type.remove_prefix(prefix.size());
    if (!is_numeric_oid(type) && (prefixed || !is_descriptor(type))) return std::nullopt;
    return type;
}

std::optional<char> DnReader::read_hex_pair() {
    const auto high = more() ? hex_digit(take()) : std::nullopt;
    const auto low = more() ? hex_digit(take()) : std::nullopt;
    if (!high || !low) return std::nullopt;
    return static_cast<char>(*high << 4 | *low);
}

// Behind a backslash.
std::optional<char> DnReader::read_escape() {
    if (more() && may_be_escaped.contains(rest_.front())) return take();
    return read_hex_pair();
}

bool DnReader::read_hex(DnValue& value) {
    value.is_hex = true;
    do {
        const auto octet = read_hex_pair();
        if (!octet) return false;
        value.add(*octet);
    } while (more() && hex_digit(rest_.front()));
    return true;
}

bool DnReader::read_quoted(DnValue& value) {
    while (more()) {
        const char c = take();
        if (c == '"') return true;
        if (c == '\0') return false;
        const auto octet = c == '\\' ? read_escape() : c;
        if (!octet) return false;
        value.add(*octet);
    }
    return false;
}

bool DnReader::read_plain(DnValue& value) {
    std::size_t spaces = 0;  // held back: those at the end, not escaped, are no part of the value
    while (more() && !next_is(',') && !next_is(';') && !next_is('+')) {
        const char c = take();
        if (c == ' ') {
            ++spaces;
            continue;
        }
        if (c == '\0' || always_escaped.contains(c)) return false;
        const auto octet = c == '\\' ? read_escape() : c;
        if (!octet) return false;
        for (; spaces > 0; --spaces) value.add(' ');
        value.add(*octet);
    }
    return true;
}

bool DnReader::read_value(DnValue& value) {
    if (take_if('#')) return read_hex(value);
    if (take_if('"')) return read_quoted(value);
    return read_plain(value);
}

std::optional<DnAttribute> DnReader::next() {
    if (!more()) return std::nullopt;
    DnAttribute attribute;
    attribute.begins_rdn = begins_rdn_;
    const auto type = read_type();
    if (!type) return fail();
    attribute.type = *type;
    skip_spaces();
    if (!take_if('=')) return fail();
    skip_spaces();
    if (!read_value(attribute.value)) return fail();
    skip_spaces();
    if (!more()) return attribute;
    begins_rdn_ = !next_is('+');
    if (!take_if(',') && !take_if(';') && !take_if('+')) return fail();
    skip_spaces();
    if (!more()) return fail();  // a separator with nothing behind it
    return attribute;
}

bool is_domain_component(std::string_view type) {
    return std::ranges::any_of(domain_component_names,
                               [&](std::string_view name) { return equals_ignoring_case(type, name); });
}

std::optional<std::string_view> text_of(const DnValue& value) {
    if (!value.complete()) return std::nullopt;
    if (!value.is_hex) return value.octets();
    ber::Reader reader(as_bytes(value.octets()));
    const auto element = reader.next();
    if (!element || !reader.empty() || !is_string(element->tag)) return std::nullopt;
    return as_text(element->contents);
}

}  // namespace sallyport::ldap
