// Held against Python's unicodedata (tests/data/unicode), and for Hangul against the arithmetic of the standard.
#include "turn/opaque_string.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sallyport::turn {
namespace {

std::string utf8(std::uint32_t code) {
    const auto follows = [&](unsigned shift) { return static_cast<char>(0x80 | (code >> shift & 0x3F)); };
    if (code < 0x80) return {static_cast<char>(code)};
    if (code < 0x800) return {static_cast<char>(0xC0 | code >> 6), follows(0)};
    if (code < 0x10000) return {static_cast<char>(0xE0 | code >> 12), follows(6), follows(0)};
    return {static_cast<char>(0xF0 | code >> 18), follows(12), follows(6), follows(0)};
}

std::string text_of(const std::string& codes) {
    std::istringstream in(codes);
    std::string out;
    std::uint32_t code = 0;
    while (in >> std::hex >> code) out += utf8(code);
    return out;
}

TEST(OpaqueString, LeavesWhatIsWrittenAsItIs) {
    for (const std::string& text :
         std::vector<std::string>{"", "alice", "A \"quoted\" : name", "cr\xC3\xA9t", "\xF0\x9F\x98\x80"})
        EXPECT_EQ(opaque_string(text), text);
}

TEST(OpaqueString, MakesEverySpaceTheAsciiOne) {
    for (const unsigned code : {0xA0U, 0x1680U, 0x2000U, 0x2001U, 0x2002U, 0x2003U, 0x2004U, 0x2005U, 0x2006U, 0x2007U,
                                0x2008U, 0x2009U, 0x200AU, 0x202FU, 0x205FU, 0x3000U})
        EXPECT_EQ(opaque_string("a" + utf8(code) + "b"), "a b") << std::hex << code;
    for (const unsigned code : {0x200BU, 0x180EU, 0xFEFFU, 0x2028U})  // these are none
        EXPECT_EQ(opaque_string("a" + utf8(code) + "b"), "a" + utf8(code) + "b") << std::hex << code;
}

TEST(OpaqueString, ComposesAsPythonDoes) {
    std::ifstream file(SALLYPORT_SOURCE_DIR "/tests/data/unicode/nfc.txt");
    std::size_t rows = 0;
    for (std::string line; std::getline(file, line);) {
        const auto between = line.find('>');
        if (line.starts_with('#') || between == std::string::npos) continue;
        ++rows;
        EXPECT_EQ(opaque_string(text_of(line.substr(0, between))), text_of(line.substr(between + 1))) << line;
    }
    EXPECT_GT(rows, 4000U);
}

TEST(OpaqueString, ComposesEverySyllableOfHangul) {
    constexpr std::uint32_t vowels = 21, finals = 28, syllables = 19 * vowels * finals;
    for (std::uint32_t index = 0; index < syllables; ++index) {
        std::string parts = utf8(0x1100 + index / (vowels * finals)) + utf8(0x1161 + index / finals % vowels);
        if (index % finals != 0) parts += utf8(0x11A7 + index % finals);
        ASSERT_EQ(opaque_string(parts), utf8(0xAC00 + index));
    }
}

TEST(OpaqueString, ComposesNothingBesideWhatIsNoUtf8) {
    for (const std::string& text :
         std::vector<std::string>{"e\xCC\x81\xFF", "\x80", "\xC3", "e\xCC\x81\xED\xA0\x80", "\xC0\x80"})
        EXPECT_EQ(opaque_string(text), text);
    EXPECT_EQ(opaque_string("\xC2\xA0\xFF"), " \xFF");
}

TEST(OpaqueString, LeavesWhatIsTooLongForAnyAttribute) {
    std::string text = "e\xCC\x81";
    text.resize(most_opaque, 'x');
    EXPECT_EQ(opaque_string(text).size(), most_opaque - 1);
    text += 'x';
    EXPECT_EQ(opaque_string(text), text);
}

}  // namespace
}  // namespace sallyport::turn
