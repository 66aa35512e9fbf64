#include "base/text.hpp"

#include <algorithm>
#include <vector>

namespace sallyport {

namespace {

// Levenshtein distance with transpositions of neighbours counted as one edit: the usual typing errors.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> last(b.size() + 1);
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = a[i - 1] == b[j - 1];
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::string to_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = to_lower(c);
    return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

std::string_view trim(std::string_view text) {
    const auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
    // A hostile word is not worth quadratic work: names longer than DNS allows are nobody's typing error.
    if (word.size() > 253) return {};
    std::string_view best;
    std::size_t fewest = (word.size() < 6 ? 1 : std::max<std::size_t>(2, word.size() / 5)) + 1;
    for (const auto candidate : candidates) {
        const auto apart =
            candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
        if (apart >= fewest) continue;
        const auto count = edits(word, candidate);
        if (count < fewest) {
            fewest = count;
            best = candidate;
        }
    }
    return best;
}

}  // namespace sallyport
