// Distinguished names as text (RFC 4514), read front to back. Beside what that has, the older forms that readers are
// told to put up with (RFC 2253 section 4): semicolons between names, spaces around separators, quoted values, "OID."
// before a number.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::ldap {

/// The beginning of an attribute's value, escapes undone: enough for a host label.
class DnValue {
public:
    /// Octets that are kept: a label (RFC 1035 section 2.3.4) in the largest header that BER has for it.
    static constexpr std::size_t capacity = 63 + 6;

    void add(char octet) {
        if (size_ < octets_.size()) octets_[size_] = octet;
        ++size_;
    }
    /// Only of use where complete().
    std::string_view octets() const { return {octets_.data(), complete() ? size_ : 0}; }
    bool complete() const { return size_ <= octets_.size(); }

    bool is_hex = false;  // it stood as #hex: the octets are BER, not the value itself (RFC 4514 section 2.4)

private:
    std::array<char, capacity> octets_;  // the first size_ of them, if that many fit
    std::size_t size_ = 0;
};

struct DnAttribute {
    std::string_view type;  // a view into the name, without "OID."
    DnValue value;
    bool begins_rdn = true;  // false: it stands behind a '+'
};

/// Takes a distinguished name apart, attribute by attribute. Allocates nothing.
class DnReader {
public:
    explicit DnReader(std::string_view dn);

    /// The next attribute; nothing at the end, and at the first thing that is wrong: then malformed() says so.
    std::optional<DnAttribute> next();

    bool malformed() const { return malformed_; }

private:
    std::optional<DnAttribute> fail();
    bool more() const { return !rest_.empty(); }
    bool next_is(char c) const { return more() && rest_.front() == c; }
    char take();
    bool take_if(char c);
    void skip_spaces();
    std::optional<std::string_view> read_type();
    bool read_value(DnValue& value);
    bool read_hex(DnValue& value);
    bool read_quoted(DnValue& value);
    bool read_plain(DnValue& value);
    std::optional<char> read_escape();
    std::optional<char> read_hex_pair();

    std::string_view rest_;
    bool begins_rdn_ = true;  // the next attribute does
    bool malformed_ = false;
};

/// The dc attribute by any of its names: DC, domainComponent, 0.9.2342.19200300.100.1.25 (RFC 4519 section 2.4).
bool is_domain_component(std::string_view type);

/// The value as text: what it says, or the string inside its BER. Nothing where it is longer than a label or no string.
std::optional<std::string_view> text_of(const DnValue& value);

}  // namespace sallyport::ldap
