#include "wire/stun/framing.hpp"
#include "wire/stun/vectors_testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::stun {
namespace {

using testing::from_hex;

TEST(StunFraming, TellsPacketsByTheFirstByte) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        const PacketKind wanted = byte < 4                  ? PacketKind::stun
                                  : byte < 20 || byte > 127 ? PacketKind::other
                                  : byte < 64               ? PacketKind::dtls
                                                            : PacketKind::channel_data;
        EXPECT_EQ(kind_of(static_cast<std::byte>(byte)), wanted) << byte;
    }
}

TEST(StunFraming, ReadsChannelData) {
    struct Case {
        const char* name;
        const char* bytes;
        const char* data;  // null: none
    };
    const Case cases[] = {
        {"as it is", "4001 0003 616263", "abc"},
        {"padded", "4001 0003 616263 00", "abc"},
        {"empty", "7FFF 0000", ""},
        {"shorter than it says", "4001 0004 616263", nullptr},
        {"no length", "4001 00", nullptr},
        {"nothing", "", nullptr},
        {"no channel", "8000 0000", nullptr},
        {"STUN", "0001 0000", nullptr},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const std::string bytes = from_hex(c.bytes);
        const auto read = read_channel_data(as_bytes(bytes));
        ASSERT_EQ(read.has_value(), c.data != nullptr);
        if (read) EXPECT_EQ(as_text(read->data), c.data);
    }
    EXPECT_EQ(as_text(channel_head(0x4001, 3)), from_hex("4001 0003"));
}

// However a stream is cut, the same frames come out.
TEST(StunFraming, CutsAStreamAlikeInWhateverPieces) {
    const std::string channel = from_hex("4001 0005 6162636465 000000");
    const std::string stream = testing::request + channel + testing::sha256_request;
    std::string rest;
    std::vector<std::size_t> sizes;
    for (const char byte : stream) {
        rest += byte;
        const Frame frame = next_frame(as_bytes(rest));
        ASSERT_NE(frame.state, Frame::State::malformed);
        if (frame.state != Frame::State::complete) continue;
        ASSERT_EQ(frame.size, rest.size());
        sizes.push_back(frame.size);
        rest.clear();
    }
    EXPECT_EQ(sizes, (std::vector{testing::request.size(), channel.size(), testing::sha256_request.size()}));
    EXPECT_EQ(next_frame(as_bytes(stream)).size, testing::request.size());
}

TEST(StunFraming, RefusesWhatCannotBecomeAFrame) {
    for (const char* bytes :
         {"16", "80", "FF", "0001 0003", "0001 0000 21 13", "0001 0000 2112A443", "47 45 54 20 2F"}) {
        const std::string raw = from_hex(bytes);
        const bool is_channel = raw[0] == 'G';  // the first letters of a word may be a channel's
        EXPECT_EQ(next_frame(as_bytes(raw)).state, is_channel ? Frame::State::need_more : Frame::State::malformed)
            << bytes;
    }
    EXPECT_EQ(next_frame({}).state, Frame::State::need_more);
    EXPECT_EQ(next_frame(as_bytes(from_hex("4000 FFFF"))).size, 4U + 0x10000);
}

}  // namespace
}  // namespace sallyport::stun
