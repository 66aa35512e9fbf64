#include "diagnose/finding.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sallyport::diagnose {
namespace {

TEST(Findings, OfVeryManyTheWorstAreKeptAndTheOthersCounted) {
    constexpr std::size_t all = 5 * Findings::most_kept, one_in = 1000;
    Findings findings;
    for (std::size_t i = 0; i < all; ++i) {
        const bool bad = i % one_in == 7;
        findings.push_back({.id = "syn-silent",
                            .severity = bad ? Severity::error : Severity::warning,
                            .client = IpAddress::v4(static_cast<std::uint32_t>(i)),
                            .packets = {i + 1},
                            .lost = {{0, i == 0 ? 9'000'000'000 : 1}}});
    }
    EXPECT_EQ(findings.concluded(), all);
    const std::size_t dropped = findings.dropped();
    const auto kept = findings.take();
    EXPECT_EQ(kept.size() + dropped, all);
    EXPECT_LT(kept.size(), 2 * Findings::most_kept);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(kept, Severity::error, &Finding::severity)), all / one_in);
    EXPECT_TRUE(std::ranges::any_of(kept, [](const Finding& one) { return one.seconds_lost() > 8; }));
}

TEST(Findings, FewAreKeptAsTheyCome) {
    Findings findings;
    for (const std::string_view id : {"a", "b", "c"}) findings.push_back({.id = id});
    std::string ids;
    for (const Finding& one : findings) ids += one.id;
    EXPECT_EQ(ids, "abc");
    EXPECT_EQ(findings.dropped(), 0U);
}

}  // namespace
}  // namespace sallyport::diagnose
