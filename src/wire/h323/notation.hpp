// How h225_types.cpp and h225_messages.cpp write the notation down.
#pragma once

#include "wire/h323/h225.hpp"

#include <cstdint>
#include <span>

namespace sallyport::h323::h225 {

inline constexpr bool optional = true;
inline constexpr bool mandatory = false;
inline constexpr const Type* not_read = nullptr;

using Fields = std::span<const Field>;

constexpr Type integer(std::uint32_t low, std::uint32_t high) {
    return {.kind = Kind::integer, .low = low, .high = high};
}
constexpr Type sized(Kind kind, std::uint32_t low, std::uint32_t high) {
    return {.kind = kind, .low = low, .high = high};
}
constexpr Type list_of(const Type& element, std::uint32_t low = 0, std::uint32_t high = 0) {
    return {.kind = Kind::sequence_of, .low = low, .high = high, .element = &element};
}
// Without "...".
constexpr Type closed(Kind kind, Fields fields) { return {.kind = kind, .fields = fields}; }
// With it.
constexpr Type open(Kind kind, Fields fields, Fields additions = {}) {
    return {.kind = kind, .extensible = true, .fields = fields, .additions = additions};
}

inline constexpr Type null{.kind = Kind::null};
inline constexpr Type boolean{.kind = Kind::boolean};
inline constexpr Type object_identifier{.kind = Kind::object_identifier};
inline constexpr Type guid = sized(Kind::octet_string, 16, 16);

}  // namespace sallyport::h323::h225
