// The host of a SIP URI (RFC 3261 section 25.1), in the one form that services are looked up by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sip {

/// A host name or address. Owns its text: it may outlive the bytes it was read from.
class Host {
public:
    static constexpr std::size_t max_size = 253;  // bytes of a DNS name in text (RFC 1035 section 2.3.4)

    /// "Example.COM.", "192.0.2.1", "[2001:DB8::1]". Lower-cased; one trailing dot goes; an IPv6 address keeps its
    /// brackets and gets its shortest spelling (RFC 5952). Labels are 1 to 63 letters, digits, '-' and '_', with no '-'
    /// at their ends; the last one is no number, unless the whole is an IPv4 address. '_' is in no grammar of hosts,
    /// but in the names of real ones.
    static std::optional<Host> parse(std::string_view text);

    std::string_view text() const { return {text_.data(), size_}; }
    bool empty() const { return size_ == 0; }

    bool operator==(const Host& other) const { return text() == other.text(); }

private:
    static std::optional<Host> parse_ipv6(std::string_view text);

    std::array<char, max_size> text_;  // only the first size_ bytes mean anything
    std::uint8_t size_ = 0;
};

}  // namespace sallyport::sip
