#include "wire/dns/name.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <cstring>

namespace sallyport::dns {

namespace {

constexpr std::uint8_t pointer_bits = 0xC0;  // RFC 1035 section 4.1.4; 0x40 and 0x80 are for label types never used

std::uint8_t octet(Bytes bytes, std::size_t at) { return std::to_integer<std::uint8_t>(bytes[at]); }

std::byte lower(std::byte value) { return static_cast<std::byte>(to_lower(static_cast<char>(value))); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The octet that stands at `at` of a name written for people, and how many characters it took; nothing: a bad escape.
struct Written {
    std::byte value;
    std::size_t characters;
};
std::optional<Written> read_character(std::string_view text, std::size_t at) {
    if (text[at] != '\\') return Written{static_cast<std::byte>(text[at]), 1};
    if (at + 1 == text.size()) return std::nullopt;
    if (!is_digit(text[at + 1])) return Written{static_cast<std::byte>(text[at + 1]), 2};
    const auto number = parse_number<std::uint8_t>(text.substr(at + 1, 3));
    if (!number || at + 4 > text.size()) return std::nullopt;
    return Written{static_cast<std::byte>(*number), 4};
}

// One 64-bit round: the two halves of a 128-bit product folded into one another.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// The hash of a name from that of its parent, so that one pass from the right gives those of all endings.
std::uint64_t hash_label(std::uint64_t parent, Bytes label_with_length) {
    constexpr std::uint64_t first = 0x9E3779B97F4A7C15, second = 0xD6E8FEB86659FD93;
    std::uint64_t hash = parent ^ first;
    for (Bytes rest = label_with_length; !rest.empty();) {
        const std::size_t count = std::min(rest.size(), sizeof(std::uint64_t));
        std::uint64_t word = 0;
        std::memcpy(&word, rest.data(), count);
        hash = mix(hash ^ word, second ^ count);
        rest = rest.subspan(count);
    }
    return hash;
}

}  // namespace

std::optional<Name> Name::parse(std::string_view text) {
    Name name;
    if (text == ".") return name;
    if (text.empty()) return std::nullopt;
    std::array<std::byte, max_label> label;
    std::size_t length = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] == '.') {
            if (length == 0 || !name.append(Bytes(label).first(length))) return std::nullopt;
            length = 0;
            ++at;
            continue;
        }
        const auto written = read_character(text, at);
        if (!written || length == max_label) return std::nullopt;
        label[length++] = written->value;
        at += written->characters;
    }
    if (length > 0 && !name.append(Bytes(label).first(length))) return std::nullopt;
    return name;
}

std::optional<Name> Name::from_wire(Bytes wire) {
    if (skip_plain_name(wire, 0) != wire.size()) return std::nullopt;
    Name name;
    std::ranges::copy(wire, name.octets_.begin());
    name.size_ = wire.size();
    return name;
}

std::size_t Name::labels() const {
    std::size_t count = 0;
    for (std::size_t at = 0; octets_[at] != std::byte{0}; at += 1 + octet(octets_, at)) ++count;
    return count;
}

std::string Name::to_string() const {
    if (is_root()) return ".";
    std::string out;
    for (std::size_t at = 0; octets_[at] != std::byte{0};) {
        const std::size_t end = at + 1 + octet(octets_, at);
        if (at > 0) out += '.';
        for (++at; at < end; ++at) {
            const char c = static_cast<char>(octets_[at]);
            if (c == '.' || c == '\\') out += '\\';
            if (c > ' ' && c < 0x7F) {
                out += c;
            } else {
                const auto digits = std::to_string(octet(octets_, at));
                out += '\\' + std::string(3 - digits.size(), '0') + digits;
            }
        }
    }
    return out;
}

bool Name::append(Bytes label) {
    if (label.empty() || label.size() > max_label || size_ + 1 + label.size() > max_name) return false;
    octets_[size_ - 1] = static_cast<std::byte>(label.size());
    std::ranges::copy(label, octets_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += label.size() + 1;
    octets_[size_ - 1] = std::byte{0};
    return true;
}

bool same_name(Bytes a, Bytes b) {
    // Length octets are below 64, so that none of them is a letter.
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<NameAt> read_name(Bytes message, std::size_t at) {
    NameAt out;
    std::size_t segment = at;  // where the labels began that are being read
    for (;;) {
        if (at >= message.size()) return std::nullopt;
        const std::uint8_t length = octet(message, at);
        if ((length & pointer_bits) == pointer_bits) {
            if (at + 1 >= message.size()) return std::nullopt;
            const std::size_t target = static_cast<std::size_t>(length & 0x3F) << 8 | octet(message, at + 1);
            if (target >= segment) return std::nullopt;
            if (out.end == 0) out.end = at + 2;
            at = segment = target;
        } else if (length > max_label) {
            return std::nullopt;
        } else if (length == 0) {
            if (out.end == 0) out.end = at + 1;
            return out;
        } else {
            if (length > message.size() - at - 1 || !out.name.append(message.subspan(at + 1, length)))
                return std::nullopt;
            at += 1 + std::size_t{length};
        }
    }
}

std::optional<std::size_t> skip_name(Bytes message, std::size_t at) {
    for (const std::size_t start = at; at < message.size() && at - start < max_name;) {
        const std::uint8_t length = octet(message, at);
        if (length == 0) return at + 1;
        if (length > max_label) {
            const bool pointer = (length & pointer_bits) == pointer_bits;
            return pointer && at + 2 <= message.size() ? std::optional(at + 2) : std::nullopt;
        }
        at += 1 + std::size_t{length};
    }
    return std::nullopt;
}

std::optional<std::size_t> skip_plain_name(Bytes message, std::size_t at) {
    for (const std::size_t start = at; at < message.size() && at - start < max_name;) {
        const std::uint8_t length = octet(message, at);
        if (length == 0) return at + 1;
        if (length > max_label) return std::nullopt;
        at += 1 + std::size_t{length};
    }
    return std::nullopt;
}

NameKey::NameKey(Bytes wire, std::uint64_t seed) : size_(wire.size()) {
    std::ranges::transform(wire, lower_.begin(), lower);
    for (std::size_t at = 0; lower_[at] != std::byte{0}; at += 1 + octet(lower_, at))
        starts_[count_++] = static_cast<std::uint8_t>(at);
    starts_[count_] = static_cast<std::uint8_t>(size_ - 1);
    hashes_[count_] = seed;
    for (std::size_t i = count_; i-- > 0;) {
        const std::size_t end = i + 1 == count_ ? size_ - 1 : starts_[i + 1];
        hashes_[i] = hash_label(hashes_[i + 1], Bytes(lower_).subspan(starts_[i], end - starts_[i]));
    }
}

}  // namespace sallyport::dns
