#include "dns/local_names.hpp"

#include "dns/testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns {
namespace {

using testing::octets;

NameKey key_of(std::string_view text) { return {Name::parse(text).value().wire(), testing::seed}; }

LocalNameParts::Set set_of(std::uint16_t type, std::string_view records) {
    const Bytes given = as_bytes(records);
    return {type, 1, {given.begin(), given.end()}};
}

// What a client of a view is told of a type: "TTL records", "TTL -" where there are none; empty: nothing of the name.
std::string told(Variants variants, ViewSet view, std::uint16_t type) {
    while (const auto local = variants.next()) {
        if ((local->views & view) == 0) continue;
        const auto set = local->find(type);
        return std::to_string(local->ttl) + ' ' + (set ? std::string(as_text(set->records)) : "-");
    }
    return {};
}

TEST(DnsLocalNames, FindsWhatWasPackedByViewAndType) {
    const std::vector<LocalNameParts> variants{
        {.views = 2, .ttl = 30, .rule = 7, .sets = {set_of(type::aaaa, "six"), set_of(type::a, "four")}},
        {.views = ~ViewSet{0}, .ttl = 300, .rule = 8, .sets = {set_of(type::a, "")}},
    };
    struct Case {
        ViewSet view;
        std::uint16_t type;
        std::string_view told;
    };
    const Case cases[] = {
        {2, type::a, "30 four"}, {2, type::aaaa, "30 six"}, {2, type::any, "30 six"},
        {2, type::txt, "30 -"},  {1, type::a, "300 "},      {1, type::aaaa, "300 -"},
    };
    LocalNames names(1);
    names.add(key_of("hq.example.com"), pack(variants));
    for (const Case& c : cases) EXPECT_EQ(told(names.find(key_of("HQ.example.com")), c.view, c.type), c.told);
    EXPECT_EQ(told(names.find(key_of("example.com")), 1, type::a), "");
    EXPECT_EQ(names.find(key_of("hq.example.com")).next()->rule, 7U);
}

TEST(DnsLocalNames, HoldsNothingOfWhatHasNothing) {
    const LocalNames none;
    EXPECT_FALSE(none.find(key_of("hq.example.com")).next());
    EXPECT_FALSE(none.find(key_of(".")).next());
    EXPECT_FALSE(Variants(pack({})).next());
    LocalNames names(1);
    names.add(key_of("."), pack(std::vector<LocalNameParts>{{.views = 1, .ttl = 5, .rule = 0}}));
    EXPECT_EQ(told(names.find(key_of(".")), 1, type::any), "5 -");
}

TEST(DnsLocalNames, KeepsManyNamesOfAnySizeApart) {
    constexpr std::size_t count = 20'000;
    const auto name_of = [](std::size_t number) {
        return std::string(1 + number % 60, 'x') + '.' + std::to_string(number) + ".example.com";
    };
    const auto records_of = [](std::size_t number) { return std::string(number % 300, static_cast<char>(number)); };
    LocalNames names(count);
    EXPECT_FALSE(names.are_many());
    for (std::size_t i = 0; i < count; ++i) {
        const LocalNameParts parts{.views = 1, .ttl = 1, .rule = 0, .sets = {set_of(type::a, records_of(i))}};
        names.add(key_of(name_of(i)), pack(std::span(&parts, 1)));
    }
    EXPECT_TRUE(names.are_many());
    for (std::size_t i = 0; i < count; ++i) {
        const NameKey present = key_of(name_of(i)), absent = key_of("no" + name_of(i));
        const std::uint64_t hashes[] = {present.hash(0), absent.hash(0)};
        names.fetch(hashes);
        ASSERT_EQ(told(names.find(present), 1, type::a), "1 " + records_of(i));
        ASSERT_EQ(told(names.find(absent), 1, type::a), "");
    }
}

}  // namespace
}  // namespace sallyport::dns
