// A text with a number in it, so that each message differs from the one before and a stale answer is no answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::bench {

class Numbered {
public:
    enum class Written {
        digits,  // decimal, with leading zeros
        octets,  // in network order
    };

    static constexpr std::string_view place = "####";  // bytes wide, wherever it stands in the text

    Numbered() = default;
    Numbered(std::string text, Written written);

    bool empty() const { return text_.empty(); }
    std::size_t size() const { return text_.size(); }
    /// The text with this number, its low digits or octets, in each place: good until the next call.
    std::string_view with(std::uint32_t number);
    /// The number at the first place of a text of this kind, which has size() bytes.
    std::uint32_t number_in(std::string_view text) const;

private:
    std::string text_;
    std::vector<std::size_t> places_;
    unsigned base_ = 10;
    char zero_ = '0';
};

}  // namespace sallyport::bench
