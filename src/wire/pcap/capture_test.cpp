#include "wire/pcap/capture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace sallyport::pcap {
namespace {

using What = Step::What;

// Integers in the byte order of a file that is being made.
class FileMaker {
public:
    explicit FileMaker(bool big_endian = false) : big_endian_(big_endian) {}

    FileMaker& u16(std::uint64_t value) { return number(value, 2); }
    FileMaker& u32(std::uint64_t value) { return number(value, 4); }
    FileMaker& u64(std::uint64_t value) { return number(value, 8); }
    FileMaker& raw(std::string_view bytes) { return bytes_ += bytes, *this; }
    FileMaker& block(std::uint32_t type, const FileMaker& body) {
        const auto length = (body.bytes_.size() + 3) / 4 * 4 + 12;
        u32(type).u32(length).raw(body.bytes_);
        bytes_.append(length - 12 - body.bytes_.size(), '\0');
        return u32(length);
    }
    FileMaker body() const { return FileMaker(big_endian_); }
    const std::string& bytes() const { return bytes_; }

private:
    FileMaker& number(std::uint64_t value, int width) {
        for (int i = 0; i < width; ++i) { bytes_ += static_cast<char>(value >> 8 * (big_endian_ ? width - 1 - i : i)); }
        return *this;
    }

    bool big_endian_;
    std::string bytes_;
};

struct Story {
    std::vector<std::string> frames;  // "time interface link original bytes"
    std::string end;  // the error, "cut", or empty
    std::uint64_t missed = 0;
};

Story read(std::string_view file) {
    Story story;
    Reader reader;
    Frame frame;
    Bytes rest = as_bytes(file);
    for (;;) {
        const auto step = reader.next(rest, frame);
        rest = rest.subspan(step.consumed);
        if (step.what == What::broken) story.end = text(step.error);
        if (step.what == What::need_more && (!rest.empty() || !reader.may_end())) story.end = "cut";
        if (step.what == What::frame) {
            story.frames.push_back(std::to_string(frame.time) + " " + std::to_string(frame.interface) + " " +
                                   std::to_string(frame.link_type) + " " + std::to_string(frame.original_length) + " " +
                                   std::string(as_text(frame.bytes)));
        }
        if (step.what == What::broken || step.what == What::need_more) break;
    }
    for (const auto& interface : reader.interfaces()) story.missed += interface.missed;
    return story;
}

std::string classic(std::uint32_t magic, bool big_endian, std::uint32_t fraction) {
    FileMaker file(big_endian);
    file.u32(magic).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(1);
    file.u32(7).u32(fraction).u32(3).u32(99).raw("abc");
    return file.bytes();
}

FileMaker described(const FileMaker& section, std::uint16_t link_type, std::uint8_t resolution) {
    auto body = section.body().u16(link_type).u16(0).u32(0);
    body.u16(9).u16(1).raw(std::string(1, static_cast<char>(resolution))).raw(std::string(3, '\0'));
    return body.u16(0).u16(0);
}

FileMaker packet_of(const FileMaker& section, std::uint32_t interface, std::uint64_t ticks, std::string_view bytes) {
    return section.body().u32(interface).u32(ticks >> 32).u32(ticks).u32(bytes.size()).u32(bytes.size() + 1).raw(bytes);
}

FileMaker begun(bool big_endian) {
    FileMaker file(big_endian);
    file.block(0x0A0D0D0A, file.body().u32(0x1A2B3C4D).u16(1).u16(0).u64(~std::uint64_t{0}));
    return file;
}

TEST(Capture, ReadsPcapInBothByteOrdersAndBothResolutions) {
    struct Case {
        const char* name;
        std::string file;
        const char* frame;
    };
    const Case cases[] = {
        {"little-endian, microseconds", classic(0xA1B2C3D4, false, 5), "7000005000 0 1 99 abc"},
        {"big-endian, microseconds", classic(0xA1B2C3D4, true, 5), "7000005000 0 1 99 abc"},
        {"little-endian, nanoseconds", classic(0xA1B23C4D, false, 5), "7000000005 0 1 99 abc"},
        {"big-endian, nanoseconds", classic(0xA1B23C4D, true, 5), "7000000005 0 1 99 abc"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const Story story = read(c.file);
        EXPECT_EQ(story.frames, std::vector<std::string>{c.frame});
        EXPECT_EQ(story.end, "");
    }
}

TEST(Capture, ReadsPcapngWithInterfacesOfDifferentKindAndClock) {
    for (const bool big_endian : {false, true}) {
        FileMaker file = begun(big_endian);
        file.block(1, described(file, 1, 6));
        file.block(1, described(file, 101, 9));
        file.block(1, described(file, 276, 0x80 | 10));  // 1024 ticks a second
        file.block(6, packet_of(file, 0, 7'000'005, "abc"));
        file.block(6, packet_of(file, 1, 7'000'000'005, "de"));
        file.block(10, file.body().u32(1).raw("secrets"));  // of no interest
        file.block(6, packet_of(file, 2, 1536, "f"));
        file.block(5, file.body().u32(1).u64(0).u16(5).u16(8).u64(12).u16(0).u16(0));
        // Another section: its interfaces are numbered anew.
        file.raw(begun(big_endian).bytes());
        file.block(1, described(file, 113, 6));
        file.block(6, packet_of(file, 0, 1, "g"));
        const Story story = read(file.bytes());
        EXPECT_EQ(story.frames, (std::vector<std::string>{"7000005000 0 1 4 abc", "7000000005 1 101 3 de",
                                                          "1500000000 2 276 2 f", "1000 3 113 2 g"}));
        EXPECT_EQ(story.end, "");
        EXPECT_EQ(story.missed, 12U);
    }
}

TEST(Capture, KeepsTheTlsSecretsOfPcapngForTools) {
    constexpr std::uint32_t key_log = 0x544C534B;
    for (const bool big_endian : {false, true}) {
        FileMaker file = begun(big_endian);
        const auto add = [&](std::uint32_t kind, std::uint64_t length, std::string_view text) {
            file.block(10, file.body().u32(kind).u32(length).raw(text));
        };
        add(key_log, 19, "CLIENT_RANDOM 01 02");
        add(key_log, 5, "more\n");
        add(key_log, 0, "");
        add(0x57474B4C, 4, "wire");  // WireGuard's
        add(key_log, 100, "a length that lies");
        Reader reader;
        Frame frame;
        Bytes rest = as_bytes(file.bytes());
        while (!rest.empty()) {
            const auto step = reader.next(rest, frame);
            ASSERT_EQ(step.what, What::passed);
            rest = rest.subspan(step.consumed);
        }
        EXPECT_EQ(reader.tls_secrets(), "CLIENT_RANDOM 01 02\nmore\n");
        EXPECT_FALSE(reader.lacks_secrets());
    }
}

TEST(Capture, SecretsThatAreTooManyAreLeftOutAndTheFileGoesOn) {
    FileMaker file = begun(false);
    file.block(1, described(file, 1, 6));
    const std::string large(max_block, 'x');
    const std::string some(256 * 1024, 'x');
    file.block(10, file.body().u32(0x544C534B).u32(large.size()).raw(large));
    for (std::size_t kept = 0; kept <= max_secrets; kept += some.size())
        file.block(10, file.body().u32(0x544C534B).u32(some.size()).raw(some));
    file.block(6, packet_of(file, 0, 1, "a"));
    Reader reader;
    Frame frame;
    bool found = false;
    for (Bytes rest = as_bytes(file.bytes()); !rest.empty();) {
        const auto step = reader.next(rest, frame);
        ASSERT_TRUE(step.what == What::passed || step.what == What::frame);
        found = found || step.what == What::frame;
        rest = rest.subspan(step.consumed);
    }
    EXPECT_TRUE(found && reader.lacks_secrets());
    EXPECT_TRUE(!reader.tls_secrets().empty() && reader.tls_secrets().size() <= max_secrets);
}

TEST(Capture, AFileCutAnywhereGivesWhatItHoldsAndSaysThatItIsCut) {
    FileMaker ng = begun(false);
    ng.block(1, described(ng, 1, 6));
    const std::size_t first = ng.bytes().size();
    ng.block(6, packet_of(ng, 0, 7'000'005, "abc"));
    for (const std::string& file : {classic(0xA1B2C3D4, false, 5), ng.bytes()}) {
        for (std::size_t size = 1; size < file.size(); ++size) {
            SCOPED_TRACE(size);
            const Story story = read(std::string_view(file).substr(0, size));
            EXPECT_TRUE(story.frames.empty());
            const bool between = size == 24 || size == first || size == 28;  // whole, only empty
            if (!between) EXPECT_EQ(story.end, "cut");
        }
    }
}

TEST(Capture, NamesWhatIsWrongWithAFile) {
    FileMaker huge;
    huge.u32(0xA1B2C3D4).u16(2).u16(4).u32(0).u32(0).u32(65535).u32(1).u32(0).u32(0).u32(0x7FFFFFFF).u32(1);
    FileMaker old;
    old.u32(0xA1B2C3D4).u16(1).u16(4).u32(0).u32(0).u32(65535).u32(1);
    FileMaker unknown = begun(false);
    unknown.block(6, packet_of(unknown, 0, 1, "abc"));
    FileMaker odd = begun(false);
    odd.u32(6).u32(13).u32(0).u32(0);
    FileMaker beyond = begun(false);
    beyond.block(1, described(beyond, 1, 6));
    beyond.block(6, beyond.body().u32(0).u32(0).u32(0).u32(400).u32(400).raw("abc"));
    struct Case {
        const char* name;
        std::string file;
        const char* end;
    };
    const Case cases[] = {
        {"text", "GET / HTTP/1.1", "not a capture file: neither pcap nor pcapng"},
        {"a frame of two gigabytes", huge.bytes(), "a length that no captured frame has"},
        {"version 1", old.bytes(), "a version of the file format that is not known"},
        {"no interface", unknown.bytes(), "a packet of an interface that was not described"},
        {"a length not in words", odd.bytes(), "a block whose lengths contradict each other"},
        {"a frame longer than its block", beyond.bytes(), "a block whose lengths contradict each other"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(read(c.file).end, c.end);
    }
}

TEST(Capture, WhatIsWrittenIsReadAgain) {
    std::array<std::byte, 64> room{};
    ByteWriter out(room);
    write_file_head(out, 276);
    write_record_head(out, {.time = 1'700'000'000'123'456'789, .original_length = 90, .bytes = as_bytes("abc")});
    out.text("abc");
    ASSERT_TRUE(out.ok());
    const Story story = read(as_text(out.written()));
    EXPECT_EQ(story.frames, std::vector<std::string>{"1700000000123456789 0 276 90 abc"});
}

}  // namespace
}  // namespace sallyport::pcap
