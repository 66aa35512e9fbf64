// Names of our own with their records, for look-ups with a NameKey. However many there are, a look-up touches one cache
// line of an index and one or two that have the name and its records; they can be fetched ahead, those of many
// questions side by side. Filled once, then only read.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/name.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sallyport::dns {

/// Views as bits; bit 0 stands for clients that are in none.
using ViewSet = std::uint64_t;

/// Records of one type and name, as they stand in an answer: with an owner that points to the question.
struct RecordSet {
    std::uint16_t type = 0;
    std::uint16_t count = 0;
    Bytes records;
};

/// What a name has in some of the views. It owns all its types there.
struct LocalName {
    ViewSet views = 0;
    std::uint32_t ttl = 0;  // seconds; of what it does not have, too
    std::uint32_t rule = 0;  // its place in Zones::rules()
    Bytes sets = {};  // packed

    /// Nothing: there is none of the type. ANY: one of those that there are (RFC 8482 section 4.1).
    std::optional<RecordSet> find(std::uint16_t type) const;
};

/// The same while it is being put together.
struct LocalNameParts {
    struct Set {
        std::uint16_t type = 0;
        std::uint16_t count = 0;
        std::vector<std::byte> records;
    };

    ViewSet views = 0;
    std::uint32_t ttl = 0;
    std::uint32_t rule = 0;
    std::vector<Set> sets = {};
};

/// What a name has in all views, in one piece: at most 255 of them, for the views are fewer.
std::vector<std::byte> pack(std::span<const LocalNameParts> variants);

/// Steps over what a name has in one set of views after the other.
class Variants {
public:
    Variants() = default;
    /// @param packed  as pack() wrote it; what follows it is not read
    explicit Variants(Bytes packed) : rest_(packed), left_(rest_.u8().value_or(0)) {}
    std::optional<LocalName> next();

private:
    ByteReader rest_{{}};
    std::size_t left_ = 0;
};

class LocalNames {
public:
    /// @param count  names that will be added
    explicit LocalNames(std::size_t count = 0);

    /// @param key  of a name that is not there yet, with the seed of all later look-ups
    void add(const NameKey& key, Bytes packed);
    /// Of a name that is not there: none.
    Variants find(const NameKey& key) const;

    /// Are there so many that fetch() pays?
    bool are_many() const { return lines_.size() * sizeof(Line) > usual_cache; }
    /// Fetches what look-ups of these names will touch, side by side.
    /// @param hashes  of whole names
    void fetch(std::span<const std::uint64_t> hashes) const;

private:
    static constexpr std::size_t usual_cache = std::size_t{512} * 1024;  // octets that stay near the processor

    struct Slot {
        std::uint32_t check = 0;  // the hash's upper half
        std::uint32_t line = 0;  // where the name begins, from 1; 0: free
    };
    struct alignas(64) Line {
        std::array<std::byte, 64> octets;
    };

    std::size_t first_slot(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
    std::size_t next_slot(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
    // From the first octet of a name's first line to the end of all.
    Bytes from(std::uint32_t line) const { return std::as_bytes(std::span(lines_).subspan(line - 1)); }

    std::vector<Slot> slots_;  // a power of two, at most half full
    std::vector<Line> lines_;  // of each name: its size, lower-cased, what it has
};

}  // namespace sallyport::dns
