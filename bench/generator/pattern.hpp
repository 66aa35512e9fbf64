// Bytes that know their place: byte n of a stream is n mod 251, so that a lost, doubled or moved byte shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::bench {

constexpr std::uint64_t pattern_cycle = 251;  // a prime: no buffer size is a multiple of it

class Pattern {
public:
    Pattern() {
        text_.reserve(longest + pattern_cycle);
        for (std::size_t i = 0; i < longest + pattern_cycle; ++i) text_.push_back(static_cast<char>(i % pattern_cycle));
    }

    /// The stream from byte `offset` on, at most `size` and at most `longest` bytes of it.
    std::string_view from(std::uint64_t offset, std::size_t size) const {
        return std::string_view(text_).substr(static_cast<std::size_t>(offset % pattern_cycle),
                                              size < longest ? size : longest);
    }
    bool matches(std::uint64_t offset, std::string_view bytes) const {
        while (!bytes.empty()) {
            const std::string_view expected = from(offset, bytes.size());
            if (bytes.substr(0, expected.size()) != expected) return false;
            offset += expected.size();
            bytes.remove_prefix(expected.size());
        }
        return true;
    }

    static constexpr std::size_t longest = 256 * 1024;

private:
    std::string text_;
};

}  // namespace sallyport::bench
