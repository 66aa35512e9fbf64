// How a member of a table's struct becomes a row of the schema: its type says how it is read and what it is called.
// Internal to config/: rows_*.hpp hold the tables' rows, schema.cpp puts them together.
#pragma once

#include "config/schema.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace sallyport::config {

template <class T>
struct Element {
    using Type = T;
    static constexpr std::string_view name = type_name<T>.one;
};
template <class T>
struct Element<Located<T>> : Element<T> {};
template <class T>
struct Element<std::optional<Located<T>>> : Element<T> {};
template <class T>
struct Element<std::vector<Located<T>>> {
    using Type = T;
    static constexpr std::string_view name = type_name<T>.many;
};

template <class M>
struct MemberPointer;
template <class S, class T>
struct MemberPointer<T S::*> {
    using Owner = S;
    using Type = T;
};

template <auto Member>
void store(const Reading& in, const Slot& slot) {
    using Owner = typename MemberPointer<decltype(Member)>::Owner;
    read(in, std::get<Owner*>(slot)->*Member);
}

template <class T>
constexpr std::span<const std::string_view> words_for() {
    if constexpr (std::is_enum_v<T>)
        return words_of<T>;
    else
        return {};
}

template <auto Member>
constexpr Row row(std::string_view key, std::string_view default_text, std::string_view meaning, Limits limits = {}) {
    using Held = Element<typename MemberPointer<decltype(Member)>::Type>;
    using Type = typename Held::Type;
    return {key, default_text, meaning, limits, Held::name, type_name<Type>.scale, words_for<Type>(), store<Member>};
}

constexpr std::int64_t ns(Duration duration) { return duration.count(); }

}  // namespace sallyport::config
