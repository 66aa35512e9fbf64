// A table of names that are known: a name is compared only with those of its own length.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::http {

/// @tparam Row  has a `name`.
/// @tparam longest  bytes of the longest name.
template <class Row, std::size_t longest>
class NamesByLength {
public:
    /// @param rows  at most 255, sorted by the length of the name.
    consteval explicit NamesByLength(std::span<const Row> rows) : rows_(rows) {
        const auto size_of = [](const Row& row) { return row.name.size(); };
        if (!std::ranges::is_sorted(rows, {}, size_of) || rows.back().name.size() != longest) throw "unsorted";
        for (std::size_t n = 0; n < first_.size(); ++n) {
            first_[n] = static_cast<std::uint8_t>(
                std::ranges::count_if(rows, [&](const Row& row) { return size_of(row) < n; }));
        }
    }

    /// The rows whose names have this length, perhaps none.
    std::span<const Row> of_length(std::size_t size) const {
        if (size > longest) return {};
        return rows_.subspan(first_[size], first_[size + 1] - first_[size]);
    }

private:
    std::span<const Row> rows_;
    std::array<std::uint8_t, longest + 2> first_{};  // where the names of n bytes begin
};

}  // namespace sallyport::http
