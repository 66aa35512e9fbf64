#include "wire/dns/name.hpp"
#include "wire/dns/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using testing::octets;

TEST(DnsName, IsReadAndWrittenAsPeopleWriteIt) {
    struct Case {
        std::string_view name;
        std::string_view text;
        std::optional<std::string_view> wire;  // none: it is no name
        std::string_view again;
    };
    const Case cases[] = {
        {"a usual name", "hq.example.com", "02'hq'07'example'03'com'00", "hq.example.com"},
        {"a final dot", "hq.example.com.", "02'hq'07'example'03'com'00", "hq.example.com"},
        {"the root", ".", "00", "."},
        {"case is kept", "HQ.Example", "02'HQ'07'Example'00", "HQ.Example"},
        {"a star", "*.example", "01'*'07'example'00", "*.example"},
        {"a dot within a label", R"(a\.b.c)", "03'a.b'01'c'00", R"(a\.b.c)"},
        {"an octet by its number", R"(a\000\255)", "03'a'00FF00", R"(a\000\255)"},
        {"a backslash", R"(a\\b)", R"(03'a\b'00)", R"(a\\b)"},
        {"nothing", "", {}, {}},
        {"an empty label", "a..b", {}, {}},
        {"a dot in front", ".a", {}, {}},
        {"an escape that ends", R"(a\)", {}, {}},
        {"a number that is none", R"(a\25x)", {}, {}},
        {"a number that breaks off", R"(a\25)", {}, {}},
        {"a number too large", R"(a\256)", {}, {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto name = Name::parse(c.text);
        ASSERT_EQ(name.has_value(), c.wire.has_value());
        if (!name) continue;
        EXPECT_EQ(as_text(name->wire()), octets(*c.wire));
        EXPECT_EQ(name->to_string(), c.again);
    }
}

TEST(DnsName, IsHeldToItsLimits) {
    const std::string label(63, 'a');
    EXPECT_TRUE(Name::parse(label));
    EXPECT_FALSE(Name::parse(label + 'a'));
    const std::string three = label + '.' + label + '.' + label + '.';
    EXPECT_EQ(Name::parse(three + std::string(61, 'b'))->wire().size(), 255U);
    EXPECT_FALSE(Name::parse(three + std::string(62, 'b')));
    std::string most = "a";
    for (std::size_t i = 1; i < max_labels; ++i) most += ".a";
    EXPECT_EQ(Name::parse(most)->labels(), max_labels);
    EXPECT_EQ(NameKey(Name::parse(most)->wire(), 0).labels(), max_labels);
    EXPECT_FALSE(Name::parse(most + ".a"));
}

TEST(DnsName, IsReadOutOfMessages) {
    struct Case {
        std::string_view name;
        std::string_view message;
        std::size_t at;
        std::optional<std::string_view> text;
        std::size_t end = 0;
    };
    const Case cases[] = {
        {"plain", "02'hq'03'com'00 FFFF", 0, "hq.com", 8},
        {"a pointer back", "03'com'00 02'hq'C000 FF", 5, "hq.com", 10},
        {"pointers in a chain", "03'com'00 02'hq'C000 01'a'C005", 10, "a.hq.com", 14},
        {"a pointer alone", "03'com'00 C000", 5, "com", 7},
        {"a pointer to the root", "00 C000", 1, ".", 3},
        {"a pointer to itself", "C000", 0, {}},
        {"a pointer to its own labels", "02'hq'C000", 0, {}},
        {"two that point to one another", "C002 C000", 2, {}},
        {"a pointer ahead", "C002 03'com'00", 0, {}},
        {"a pointer to behind the end", "03'com'00 C0FF", 5, {}},
        {"half a pointer", "03'com'00 C0", 5, {}},
        {"a label that breaks off", "05'com'", 0, {}},
        {"no end", "03'com'", 0, {}},
        {"a label of type 0x40", "41'a'00", 0, {}},
        {"a label of type 0x80", "81'a'00", 0, {}},
        {"from behind the end", "00", 1, {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string message = octets(c.message);
        const auto read = read_name(as_bytes(message), c.at);
        ASSERT_EQ(read.has_value(), c.text.has_value());
        if (!read) continue;
        EXPECT_EQ(read->name.to_string(), *c.text);
        EXPECT_EQ(read->end, c.end);
        EXPECT_EQ(skip_name(as_bytes(message), c.at), c.end);
    }
}

TEST(DnsName, IsHeldToItsLengthAcrossPointers) {
    // Each name continues with the one before it: 60 octets more every time, until there are more than 255.
    std::string message = octets("00");
    std::size_t target = 0;
    for (int i = 0; i < 6; ++i) {
        const std::size_t at = message.size();
        message += static_cast<char>(59) + std::string(59, 'x') + static_cast<char>(0xC0) + static_cast<char>(target);
        EXPECT_EQ(read_name(as_bytes(message), at).has_value(), i < 4) << i;
        target = at;
        if (at > 0xFF) break;
    }
}

TEST(DnsName, IsOneWhateverItsCase) {
    const auto upper = Name::parse("7-COURIER.push.Apple.com");
    const auto lower = Name::parse("7-courier.PUSH.apple.com");
    EXPECT_TRUE(same_name(upper->wire(), lower->wire()));
    const NameKey a(upper->wire(), 42), b(lower->wire(), 42), c(lower->wire(), 43);
    EXPECT_EQ(a.hash(0), b.hash(0));
    EXPECT_NE(b.hash(0), c.hash(0));
    EXPECT_EQ(as_text(a.ending(2)), octets("05'apple'03'com'00"));
    EXPECT_EQ(a.hash(2), NameKey(Name::parse("Apple.Com")->wire(), 42).hash(0));
    EXPECT_FALSE(same_name(upper->wire(), Name::parse("8-courier.push.apple.com")->wire()));
    // Where one label ends matters.
    EXPECT_NE(NameKey(Name::parse("ab.c")->wire(), 1).hash(0), NameKey(Name::parse("a.bc")->wire(), 1).hash(0));
}

TEST(DnsName, IsTakenFromTheWireWholeOnly) {
    for (const std::string_view bad : {"", "03'com'", "03'com'00 00", "C000", "03'com'C000"})
        EXPECT_FALSE(Name::from_wire(as_bytes(octets(bad)))) << bad;
    EXPECT_EQ(Name::from_wire(as_bytes(octets("03'com'00")))->to_string(), "com");
}

}  // namespace
}  // namespace sallyport::dns
