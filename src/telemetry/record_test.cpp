#include "telemetry/record.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::telemetry;

TEST(Record, ArrivesThroughItsCompactFormAsItWas) {
    const Record record{.time = WallTime{std::chrono::milliseconds{1772366400250}},
                        .protocol = Protocol::ldap,
                        .listener = ":389",
                        .client = *SocketAddress::parse("[2001:db8::1]:50122"),
                        .service = "hq.example.com",
                        .looked_for = "hq.example.com",
                        .nearest = "other.example.com",
                        .target = "172.16.0.90:636",
                        .tls_client = false,
                        .tls_target = true,
                        .verdict = Verdict::forwarded,
                        .reason = Reason::target_closed,
                        .bytes_in = 61,
                        .bytes_out = 1ULL << 40,
                        .duration = std::chrono::microseconds{12400},
                        .method = "GET",
                        .url = "/a",
                        .status = 502,
                        .detail = "two words"};
    std::array<std::byte, max_encoded_record> room;
    const Record read = decode(encode(record, room));
    EXPECT_EQ(read.time, record.time);
    EXPECT_EQ(read.protocol, record.protocol);
    EXPECT_EQ(read.client, record.client);
    EXPECT_EQ(read.tls_client, record.tls_client);
    EXPECT_EQ(read.tls_target, record.tls_target);
    EXPECT_EQ(read.verdict, record.verdict);
    EXPECT_EQ(read.reason, record.reason);
    EXPECT_EQ(read.bytes_in, record.bytes_in);
    EXPECT_EQ(read.bytes_out, record.bytes_out);
    EXPECT_EQ(read.duration, record.duration);
    EXPECT_EQ(read.status, record.status);
    for (const RecordText& text : record_texts) EXPECT_EQ(read.*text.member, record.*text.member);
}

TEST(Record, CutsEachLongTextAndMarksTheCut) {
    std::array<std::byte, max_encoded_record> room;
    for (const RecordText& text : record_texts) {
        const std::string fits(text.most, 'a');
        const std::string too_long(std::size_t{text.most} + 1, 'a');
        Record record;
        record.*text.member = fits;
        EXPECT_EQ(decode(encode(record, room)).*text.member, fits);
        record.*text.member = too_long;
        EXPECT_EQ(decode(encode(record, room)).*text.member, std::string(text.most - 3U, 'a') + "...");
    }
}

TEST(Record, FitsItsRoomWhateverThePeerSends) {
    const std::string endless(1 << 20, '\xFF');
    Record record;
    for (const RecordText& text : record_texts) record.*text.member = endless;
    std::array<std::byte, max_encoded_record> room;
    EXPECT_LE(encode(record, room).size(), room.size());
}
