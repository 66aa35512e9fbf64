#include "wire/per/reader.hpp"
#include "wire/per/writer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sallyport::per {
namespace {

std::vector<std::byte> octets(std::initializer_list<unsigned> values) {
    std::vector<std::byte> out;
    for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
    return out;
}

TEST(PerReader, ReadsNumbersByTheWidthOfTheirRange) {
    struct Case {
        std::string name;
        std::vector<std::byte> encoding;
        std::uint32_t low, high;
        std::string answer;
    };
    const Case cases[] = {
        {"one value takes no bits", octets({}), 7, 7, "7"},
        {"1..128 takes seven bits", octets({0b0000011'1}), 1, 128, "4"},
        {"0..254 takes eight bits where they stand", octets({0xFE}), 0, 254, "254"},
        {"0..255 takes an octet", octets({0xFF}), 0, 255, "255"},
        {"1..256 counts from 1", octets({0x00}), 1, 256, "1"},
        {"1..65535 takes two octets", octets({0x12, 0x15}), 1, 65535, "4630"},
        {"more than two octets say how many", octets({0b01'000000, 0x03, 0xE8}), 0, 0xFFFFFFFF, "1000"},
        {"four octets", octets({0b11'000000, 0xFF, 0xFF, 0xFF, 0xFF}), 0, 0xFFFFFFFF, "4294967295"},
        {"beyond the range", octets({0xFF, 0xFF}), 1, 65535, "! a number out of range"},
        {"not all there", octets({0x12}), 1, 65535, "! more is announced than there is"},
    };
    for (const Case& c : cases) {
        Reader in(c.encoding);
        const std::uint32_t value = in.number(c.low, c.high);
        EXPECT_EQ(in.ok() ? std::to_string(value) : "! " + std::string(text(in.error())), c.answer) << c.name;
    }
}

TEST(PerReader, ReadsLengths) {
    struct Case {
        std::vector<std::byte> encoding;
        std::string answer;
    };
    const Case cases[] = {
        {octets({0x00}), "0"},
        {octets({0x7F}), "127"},
        {octets({0x80, 0x80}), "128"},
        {octets({0xBF, 0xFF}), "16383"},
        {octets({0xC1}), "! a length in fragments of 16K"},
        {octets({0x80}), "! more is announced than there is"},
        {octets({}), "! more is announced than there is"},
    };
    for (const Case& c : cases) {
        Reader in(c.encoding);
        const std::size_t length = in.length();
        EXPECT_EQ(in.ok() ? std::to_string(length) : "! " + std::string(text(in.error())), c.answer);
    }
}

TEST(PerReader, GoesOnBehindAnOpenTypeWhateverWasReadInside) {
    const auto encoding = octets({0x02, 0x80, 0x55, 0xAA});
    Reader in(encoding);
    Reader inside = in.open();
    EXPECT_TRUE(inside.bit());
    EXPECT_EQ(in.bits(8), 0xAAU);
    EXPECT_TRUE(in.ok());
    EXPECT_EQ(inside.bits(32), 0U) << "not beyond its end";
    EXPECT_FALSE(inside.ok());
}

TEST(PerReader, ReadsNothingAfterAnError) {
    const auto encoding = octets({0xFF, 0xFF});
    Reader in(encoding);
    EXPECT_TRUE(in.octets(3).empty());
    EXPECT_EQ(in.bits(8), 0U);
    EXPECT_EQ(in.number(1, 255), 1U);
    EXPECT_EQ(in.error(), Error::beyond_end);
}

TEST(PerWriter, WritesWhatTheReaderReads) {
    std::array<std::byte, 300> room;
    room.fill(std::byte{0xFF});
    Writer out(room);
    out.bits(0b101, 3);
    out.number_16(4629);
    out.small_number(8);
    out.open(octets({0x01, 0x02}));
    const std::vector<std::byte> long_octets(200, std::byte{0x5A});
    out.open(long_octets);
    Reader in(out.written());
    EXPECT_EQ(in.bits(3), 0b101U);
    EXPECT_EQ(in.number(1, 65535), 4630U);
    EXPECT_EQ(in.small_number(), 8U);
    EXPECT_EQ(in.open().bits(16), 0x0102U);
    EXPECT_EQ(in.length(), 200U);
    EXPECT_EQ(in.octets(200).size(), 200U);
    EXPECT_TRUE(in.ok());
    EXPECT_FALSE(in.bit()) << "to the end";
    EXPECT_FALSE(in.ok());
}

TEST(PerWriter, DropsWhatDoesNotFit) {
    std::array<std::byte, 2> room;
    Writer out(room);
    out.number_16(1);
    EXPECT_EQ(out.written().size(), 2U);
    out.bit(false);
    EXPECT_FALSE(out.ok());
    EXPECT_TRUE(out.written().empty());
}

}  // namespace
}  // namespace sallyport::per
