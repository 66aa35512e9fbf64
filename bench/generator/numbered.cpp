#include "generator/numbered.hpp"

#include <array>
#include <cstring>

namespace sallyport::bench {

Numbered::Numbered(std::string text, Written written)
    : text_(std::move(text)),
      base_(written == Written::digits ? 10 : 256),
      zero_(written == Written::digits ? '0' : '\0') {
    for (std::size_t at = text_.find(place); at != std::string::npos; at = text_.find(place, at + place.size())) {
        places_.push_back(at);
    }
}

std::string_view Numbered::with(std::uint32_t number) {
    std::array<char, place.size()> shown{};
    for (std::size_t i = shown.size(); i-- > 0; number /= base_) {
        shown[i] = static_cast<char>(static_cast<unsigned>(zero_) + number % base_);
    }
    for (const std::size_t at : places_) std::memcpy(text_.data() + at, shown.data(), shown.size());
    return text_;
}

std::uint32_t Numbered::number_in(std::string_view text) const {
    std::uint32_t number = 0;
    if (places_.empty()) return number;
    for (const char c : text.substr(places_.front(), place.size())) {
        number = number * base_ + static_cast<unsigned char>(c - zero_);
    }
    return number;
}

}  // namespace sallyport::bench
