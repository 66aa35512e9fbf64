// The words of an enumeration: what stands in the file.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>

namespace sallyport::config {

/// In the order of the enumeration.
template <class E>
inline constexpr std::array<std::string_view, 0> words_of{};

template <class E>
    requires std::is_enum_v<E>
constexpr std::string_view to_string(E value) {
    return words_of<E>[static_cast<std::size_t>(value)];
}

}  // namespace sallyport::config
