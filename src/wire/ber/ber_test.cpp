#include "wire/ber/reader.hpp"
#include "wire/ber/testing.hpp"
#include "wire/ber/writer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::ber;
namespace encode = sallyport::ber::testing;

namespace {

std::string say(ber::Error error) { return "! " + std::string(text(error)); }

std::string say_header(std::string_view bytes) {
    const auto header = read_header(as_bytes(bytes));
    if (!header) return say(header.error());
    if (!*header) return "more";
    return std::to_string((*header)->tag) + " " + std::to_string((*header)->size) + "+" +
           std::to_string((*header)->length);
}

std::string say_check(std::string_view bytes, unsigned depth = 0) {
    const auto sound = Reader(as_bytes(bytes), depth).check();
    return sound ? "sound" : say(sound.error());
}

std::string say_integer(std::string_view bytes) {
    const auto value = Reader(as_bytes(bytes)).integer();
    return value ? std::to_string(*value) : say(value.error());
}

}  // namespace

TEST(BerHeader, ReadsDefiniteLengthsOfUpToFourOctets) {
    struct Case {
        const char* name;
        const char* hex;
        const char* answer;
    };
    const Case cases[] = {
        {"nothing yet", "", "more"},
        {"a tag alone", "30", "more"},
        {"short form", "3005", "48 2+5"},
        {"the largest short form", "307f", "48 2+127"},
        {"long form", "308180", "48 3+128"},
        {"long form, one of its two octets there", "308201", "more"},
        {"leading zeros, as Windows writes them", "308400000005", "48 6+5"},
        {"a long form that need not be one", "308105", "48 3+5"},
        {"the largest length", "3084ffffffff", "48 6+4294967295"},
        {"indefinite", "3080", "! an indefinite length"},
        {"five octets", "3085", "! a length of more than four octets"},
        {"126 octets", "30fe", "! a length of more than four octets"},
        {"the reserved first octet", "30ff", "! a length of more than four octets"},
        {"a high tag number", "3f", "! a tag number of more than one octet"},
        {"a high tag number of the application class", "7f8101", "! a tag number of more than one octet"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_header(encode::octets(c.hex)), c.answer);
    }
}

TEST(BerReader, ReadsNumbersOfOneToFourOctets) {
    struct Case {
        const char* hex;
        const char* answer;
    };
    const Case cases[] = {
        {"020100", "0"},
        {"02017f", "127"},
        {"020180", "-128"},
        {"02020080", "128"},
        {"0201ff", "-1"},
        {"02047fffffff", "2147483647"},
        {"020480000000", "-2147483648"},
        {"020400000001", "1"},
        {"028400000001 05", "5"},
        {"0200", "! a number that is out of range"},
        {"02050000000001", "! a number that is out of range"},
        {"020201", "! an element that is larger than what contains it"},
        {"0a0101", "! an element that does not belong here"},
        {"220101", "! an OCTET STRING in pieces"},
        {"", "! an element that does not belong here"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.hex);
        EXPECT_EQ(say_integer(encode::octets(c.hex)), c.answer);
    }
}

TEST(BerReader, KeepsAChildWithinItsParent) {
    const std::string parent =
        encode::octets("30 05 04 04 61 62 63") + "de";  // the child wants one octet more than is left
    Reader outside(as_bytes(parent));
    auto inside = outside.enter(sequence_tag);
    ASSERT_TRUE(inside);
    EXPECT_EQ(inside->octets().error(), ber::Error::beyond_parent);
    EXPECT_EQ(as_text(outside.rest()), "de");
}

TEST(BerReader, ChecksEverythingInAMessage) {
    struct Case {
        const char* name;
        std::string bytes;
        const char* answer;
    };
    const std::string leaf = encode::tlv(0x04, "abc");
    const Case cases[] = {
        {"nothing", "", "sound"},
        {"a leaf", leaf, "sound"},
        {"leaves and levels", encode::tlv(0x30, leaf + encode::tlv(0x31, leaf + leaf) + leaf) + leaf, "sound"},
        {"eight levels", encode::nested(8), "sound"},
        {"nine levels", encode::nested(9), "! elements nested too deep"},
        {"a bomb of nine thousand levels", encode::nested(9000), "! elements nested too deep"},
        {"nine levels behind eight", encode::nested(8) + encode::nested(9), "! elements nested too deep"},
        {"a child larger than its parent", encode::octets("30 03 04 02 61"),
         "! an element that is larger than what contains it"},
        {"a child of 2 GiB", encode::octets("30 06 04 84 7f ff ff ff"),
         "! an element that is larger than what contains it"},
        {"a child of 4 GiB", encode::octets("30 06 04 84 ff ff ff ff"),
         "! an element that is larger than what contains it"},
        {"a header that is cut off", encode::octets("30 02 04 81"),
         "! an element that is larger than what contains it"},
        {"an indefinite length within", encode::octets("30 04 24 80 00 00"), "! an indefinite length"},
        {"a string in pieces", encode::tlv(0x30, encode::tlv(0x24, leaf)), "! an OCTET STRING in pieces"},
        {"an end of contents", encode::octets("30 02 00 00"), "! an element that does not belong here"},
        {"a high tag", encode::octets("30 03 bf 81 00"), "! a tag number of more than one octet"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say_check(c.bytes), c.answer);
    }
    EXPECT_EQ(say_check(encode::nested(6), 2), "sound") << "two levels are around these";
    EXPECT_EQ(say_check(encode::nested(7), 2), "! elements nested too deep");
}

TEST(BerReader, EntersEightLevels) {
    const std::string bytes = encode::nested(9);
    Reader reader(as_bytes(bytes));
    for (int level = 0; level < 8; ++level) {
        auto inside = reader.enter(sequence_tag);
        ASSERT_TRUE(inside) << level;
        reader = *inside;
    }
    EXPECT_EQ(reader.enter(sequence_tag).error(), ber::Error::too_deep);
}

TEST(BerReader, LetsOnlyUnknownExtensionsFollow) {
    struct Case {
        const char* name;
        const char* hex;
        bool sound;
    };
    const Case cases[] = {
        {"nothing", "", true},
        {"[5], which nobody knows yet", "8500", true},
        {"two unknown ones", "8500 a603040161", true},
        {"[0], which is known", "8000", false},
        {"[0] in its other form", "a000", false},
        {"a universal element", "0400", false},
        {"an element of the application class", "6000", false},
        {"half an element", "8501", false},
        {"a stray octet", "00", false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string bytes = encode::octets(c.hex);
        EXPECT_EQ(Reader(as_bytes(bytes)).finish({context_primitive(0)}).has_value(), c.sound);
    }
}

TEST(BerWriter, WritesTheShortestForm) {
    for (const std::int32_t value :
         {0, 1, -1, 127, 128, -128, -129, 255, 256, 32767, 32768, -32768, -32769, 8388607, 8388608, -8388609,
          std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::min()}) {
        SCOPED_TRACE(value);
        std::array<std::byte, 8> room;
        Writer out(room);
        out.integer(value);
        EXPECT_EQ(as_text(out.written()), encode::integer(value));
    }
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{123}, std::size_t{125}, std::size_t{126},
                                   std::size_t{127}, std::size_t{128}, std::size_t{253}, std::size_t{255},
                                   std::size_t{256}, std::size_t{65535}, std::size_t{70000}}) {
        SCOPED_TRACE(size);
        const std::string string(size, 's');
        std::vector<std::byte> room(size + 40);
        Writer out(room);
        out.begin(sequence_tag);
        out.begin(0x60);
        out.octets(string);
        out.end();
        out.integer(5, enumerated_tag);
        out.end();
        const auto octets = [](std::size_t length) {
            return length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
        };
        const std::string child = encode::tlv(0x04, string, octets(size));
        const std::string parent = encode::tlv(0x60, child, octets(child.size())) + encode::octets("0a0105");
        EXPECT_EQ(as_text(out.written()), encode::tlv(0x30, parent, octets(parent.size())));
    }
}

TEST(BerWriter, RemembersWhatDidNotFit) {
    const auto write = [](MutableBytes room) {
        Writer out(room);
        out.begin(sequence_tag);
        out.integer(300);
        out.octets(std::string(150, 's'));
        out.end();
        return out.written().size();
    };
    std::array<std::byte, 160> room;
    const std::size_t needed = write(room);
    ASSERT_EQ(needed, 160u);
    for (std::size_t size = 0; size < needed; ++size) {
        std::vector<std::byte> small(size);  // its end is watched by the sanitizer
        EXPECT_EQ(write(small), 0u) << size;
    }
}

TEST(BerWriter, IsNotOkWithoutItsEnds) {
    std::array<std::byte, 64> room;
    Writer open(room);
    open.begin(sequence_tag);
    EXPECT_FALSE(open.ok());
    Writer closed(room);
    closed.end();
    EXPECT_FALSE(closed.ok());
    Writer deep(room);
    for (unsigned i = 0; i < max_depth; ++i) deep.begin(sequence_tag);
    deep.octets("a leaf is no level");
    for (unsigned i = 0; i < max_depth; ++i) deep.end();
    EXPECT_TRUE(deep.ok());
    Writer deeper(room);
    for (unsigned i = 0; i <= max_depth; ++i) deeper.begin(sequence_tag);
    for (unsigned i = 0; i <= max_depth; ++i) deeper.end();
    EXPECT_FALSE(deeper.ok());
}
