// Domain names on the wire (RFC 1035 sections 2.3.4, 3.1, 4.1.4): labels of at most 63 octets, at most 255 in all,
// compared without regard to the case of ASCII letters (RFC 4343) and kept as they were written.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::dns {

inline constexpr std::size_t max_name = 255;  // octets, with the root's
inline constexpr std::size_t max_label = 63;
inline constexpr std::size_t max_labels = 127;  // without the root

/// A whole name, uncompressed: length octets and labels, ending with the root's zero.
class Name {
public:
    Name() = default;  // the root

    /// "hq.example.com", with a final dot or without; "." is the root. A `\` takes the next character as it is, `\DDD`
    /// is an octet (RFC 1035 section 5.1). Nothing where it is no name.
    static std::optional<Name> parse(std::string_view text);
    /// @param wire  a whole name without compression. Nothing where it is none, or where something follows it.
    static std::optional<Name> from_wire(Bytes wire);

    Bytes wire() const { return Bytes(octets_).first(size_); }
    bool is_root() const { return size_ == 1; }
    std::size_t labels() const;
    /// As people write it, without the final dot; the root is ".". What is not printable is `\DDD`.
    std::string to_string() const;

    /// Joins one label at the end, before the root. False, and nothing changes, where there is no room for it.
    bool append(Bytes label);

private:
    std::array<std::byte, max_name> octets_{};
    std::size_t size_ = 1;
};

/// Both are names in wire form without compression.
bool same_name(Bytes a, Bytes b);

/// One name in a message.
struct NameAt {
    Name name;
    std::size_t end = 0;  // of its octets at the place where it was read; the next field begins there
};

/// Reads the name at `at`, following pointers. Each must point to before the labels that it continues, so that no
/// message makes us go round; the whole name is held to 255 octets. Nothing where it breaks a rule or the message ends.
std::optional<NameAt> read_name(Bytes message, std::size_t at);

/// Where the name at `at` ends, without following pointers.
std::optional<std::size_t> skip_name(Bytes message, std::size_t at);
/// Likewise, and nothing where there is a pointer in it.
std::optional<std::size_t> skip_plain_name(Bytes message, std::size_t at);

/// A name made ready for look-ups: lower-cased, with a hash for each of its endings. About 1.5 KiB; lives on the stack.
class NameKey {
public:
    /// @param wire  a whole name without compression
    /// @param seed  differs from one start to the next, where others choose the names
    NameKey(Bytes wire, std::uint64_t seed);

    /// Without the root; 0 for the root itself.
    std::size_t labels() const { return count_; }
    /// The name without its first `skipped` labels; labels() of them leave the root.
    Bytes ending(std::size_t skipped) const {
        return Bytes(lower_).subspan(starts_[skipped], size_ - starts_[skipped]);
    }
    std::uint64_t hash(std::size_t skipped) const { return hashes_[skipped]; }

private:
    std::array<std::byte, max_name> lower_;
    std::array<std::uint8_t, max_labels + 1> starts_;
    std::array<std::uint64_t, max_labels + 1> hashes_;
    std::size_t size_;
    std::size_t count_ = 0;
};

}  // namespace sallyport::dns
