// Which of the known field names stands at the front of some text: one look into a table and one comparison, whatever
// the name and without a branch on its length, for every field of every message asks. Internal to wire/sip.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace sallyport::sip {

/// @tparam Row  has a `name`: lower-case letters and '-', from 2 to 24 bytes, no two alike.
template <class Row, std::size_t count>
class KnownNames {
public:
    /// Bytes that a look reads, beside the name itself. The shortest line that ends a head with its length has as many.
    static constexpr std::size_t window = 16;
    static constexpr std::size_t longest = 24;

    consteval explicit KnownNames(std::span<const Row, count> rows) {
        while (!fill(rows)) ++factor_;
    }

    /// @param text  at least `window` bytes
    /// @param size  of the name at its front, 2 to `longest`, all of them in the text
    /// @return which row; nothing known: `count`
    std::size_t find(const char* text, std::size_t size) const {
        const std::size_t at = slots_[slot(text[0], text[size - 1], size)];
        const Pattern& pattern = patterns_[at];
        Words seen;
        std::memcpy(seen.data(), text, window);
        std::memcpy(&seen.back(), text + end_of(size), sizeof(std::uint64_t));
        std::uint64_t difference = size ^ pattern.size;
        for (std::size_t i = 0; i < seen.size(); ++i) difference |= (seen[i] ^ pattern.text[i]) & pattern.asked[i];
        return difference == 0 ? at : count;
    }

private:
    // The front of a name, and its last eight bytes, which overlap in all but the longest.
    using Words = std::array<std::uint64_t, longest / sizeof(std::uint64_t)>;
    static constexpr std::size_t slot_count = 64;
    static constexpr unsigned case_bit = 0x20;

    struct Pattern {
        Words text{};
        Words asked{};  // the bits that matter: of a letter all but its case
        std::size_t size = 0;  // of the one that is never found: 0
    };

    constexpr std::size_t slot(char first, char last, std::size_t size) const {
        const unsigned f = static_cast<unsigned char>(first) | case_bit;
        const unsigned l = static_cast<unsigned char>(last) | case_bit;
        return (f * factor_ + l * 5 + size) % slot_count;
    }

    static constexpr std::size_t end_of(std::size_t size) {
        return std::max(size, sizeof(std::uint64_t)) - sizeof(std::uint64_t);
    }

    consteval bool fill(std::span<const Row, count> rows) {
        slots_.fill(count);
        for (std::size_t i = 0; i < count; ++i) {
            const std::string_view name = rows[i].name;
            auto& taken = slots_[slot(name.front(), name.back(), name.size())];
            if (taken != count) return false;
            taken = static_cast<std::uint8_t>(i);
            patterns_[i] = pattern(name);
        }
        return true;
    }

    static consteval Pattern pattern(std::string_view name) {
        std::array<char, longest> text{};
        std::array<char, longest> asked{};
        const auto put = [&](std::size_t at, char c) {
            text[at] = c;
            asked[at] = static_cast<char>(c == '-' ? ~0U : ~case_bit);
        };
        for (std::size_t i = 0; i < std::min(name.size(), window); ++i) put(i, name[i]);
        // Where the name is shorter than its last word, that word says no more than the front does.
        const std::size_t end = end_of(name.size());
        for (std::size_t i = end; i < std::min(name.size(), end + sizeof(std::uint64_t)); ++i)
            put(window + i - end, name[i]);
        return {std::bit_cast<Words>(text), std::bit_cast<Words>(asked), name.size()};
    }

    unsigned factor_ = 1;  // that gives each name a slot of its own
    std::array<std::uint8_t, slot_count> slots_{};
    std::array<Pattern, count + 1> patterns_{};
};

}  // namespace sallyport::sip
