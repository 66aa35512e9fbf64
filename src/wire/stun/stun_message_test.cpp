#include "wire/stun/message.hpp"
#include "wire/stun/vectors_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace sallyport::stun {
namespace {

using ::testing::ElementsAre;
using testing::from_hex;

constexpr std::string_view head = "0001 0000 2112A442 000102030405060708090A0B";

// A Binding request of these attributes, with the length that they have.
std::string message_of(std::string_view attributes) {
    std::string bytes = from_hex(head) + from_hex(attributes);
    bytes[2] = static_cast<char>((bytes.size() - header_size) >> 8);
    bytes[3] = static_cast<char>(bytes.size() - header_size);
    return bytes;
}

TEST(StunAttributes, EachCodeFindsItsRowAndNoOther) {
    std::set<std::uint16_t> codes;
    for (std::size_t i = 0; i < attribute_table.size(); ++i) {
        EXPECT_TRUE(codes.insert(attribute_table[i].code).second) << attribute_table[i].name;
        EXPECT_EQ(find_attribute(attribute_table[i].code), static_cast<Attribute>(i));
    }
    for (unsigned code = 0; code <= 0xFFFF; ++code) {
        EXPECT_EQ(find_attribute(static_cast<std::uint16_t>(code)).has_value(),
                  codes.contains(static_cast<std::uint16_t>(code)));
    }
}

TEST(StunReader, ReadsThePublishedMessages) {
    const auto request = read_message(as_bytes(testing::request));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->kind(), Class::request);
    EXPECT_EQ(request->method(), Method::binding);
    EXPECT_EQ(request->text(Attribute::software), "STUN test client");
    EXPECT_EQ(request->text(Attribute::username), "evtj:h6vY");
    EXPECT_EQ(request->number(Attribute::priority, 4), 0x6E0001FFU);
    EXPECT_EQ(request->number(Attribute::ice_controlled, 8), 0x932FF9B151263B36U);
    EXPECT_TRUE(request->has_valid_fingerprint());

    const auto v4 = read_message(as_bytes(testing::response_v4));
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->kind(), Class::success);
    EXPECT_EQ(v4->address(Attribute::xor_mapped_address), SocketAddress::parse("192.0.2.1:32853"));
    EXPECT_TRUE(v4->has_valid_fingerprint());

    const auto v6 = read_message(as_bytes(testing::response_v6));
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->address(Attribute::xor_mapped_address),
              SocketAddress::parse("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
    EXPECT_TRUE(v6->has_valid_fingerprint());

    const auto sha256 = read_message(as_bytes(testing::sha256_request));
    ASSERT_TRUE(sha256);
    EXPECT_EQ(sha256->value(Attribute::userhash).size(), 32U);
    EXPECT_EQ(sha256->text(Attribute::nonce), "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA");
    EXPECT_FALSE(sha256->has_valid_fingerprint());
}

TEST(StunReader, ShowsWhatIntegrityIsComputedOver) {
    const auto message = read_message(as_bytes(testing::request));
    ASSERT_TRUE(message);
    const auto input = message->integrity(Attribute::message_integrity);
    ASSERT_TRUE(input);
    // Up to the end of MESSAGE-INTEGRITY and without FINGERPRINT: 8 bytes less than the header says.
    EXPECT_EQ(as_text(Bytes(input->header).subspan(2, 2)), from_hex("0050"));
    EXPECT_EQ(input->attributes.size(), 56U);
    EXPECT_EQ(as_text(input->value), from_hex("9AEAA70CBFD8CB56781EF2B5B2D3F249C1B571A2"));
    EXPECT_FALSE(message->integrity(Attribute::message_integrity_sha256));
}

TEST(StunReader, RefusesEveryTruncation) {
    for (const std::string* whole : {&testing::request, &testing::response_v6, &testing::sha256_request}) {
        for (std::size_t size = 0; size < whole->size(); ++size) {
            const auto message = read_message(as_bytes(*whole).first(size));
            ASSERT_FALSE(message) << size;
            EXPECT_EQ(message.error(), Malformed::truncated) << size;
        }
    }
}

TEST(StunReader, SaysWhatIsWrong) {
    struct Case {
        const char* name;
        std::string bytes;
        Malformed why;
    };
    std::string odd = message_of("");
    odd[3] = 1;
    const Case cases[] = {
        {"first bits", from_hex("4001 0000 2112A442 000102030405060708090A0B"), Malformed::not_stun},
        {"the range of DTLS", from_hex("1401 0000 2112A442 000102030405060708090A0B"), Malformed::not_stun},
        {"cookie", from_hex("0001 0000 2112A443 000102030405060708090A0B"), Malformed::not_stun},
        {"more than it says", from_hex(head) + "1234", Malformed::length},
        {"no whole words", odd + "1", Malformed::length},
        {"an attribute too long", message_of("0006 0005 61626364"), Malformed::overrun},
        {"padding that lacks", message_of("0006 0001 61000000 0024 0005 00000000"), Malformed::overrun},
        {"the longest attribute", message_of("0006 FFFF"), Malformed::overrun},
        {"behind FINGERPRINT", message_of("8028 0004 00000000 0025 0000"), Malformed::trailing},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto message = read_message(as_bytes(c.bytes));
        ASSERT_FALSE(message);
        EXPECT_EQ(message.error(), c.why);
        EXPECT_FALSE(text(message.error()).empty());
    }
}

TEST(StunReader, ReadsRequestsOfRfc3489WhereTheyAreWelcome) {
    const std::string bytes("\0\1\0\0 sixteen octets ", 20);
    EXPECT_EQ(read_message(as_bytes(bytes)).error(), Malformed::not_stun);
    const auto message = read_message(as_bytes(bytes), Classic::yes);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_classic());
    std::array<std::byte, 64> room;
    MessageWriter writer(room, Class::success, Method::binding, message->transaction(), message->cookie());
    writer.add_address(Attribute::mapped_address, *SocketAddress::parse("192.0.2.1:7"));
    EXPECT_EQ(as_text(*writer.finish()), std::string("\1\1\0\x0C sixteen octets \0\1\0\x08\0\1\0\7\xC0\0\2\1", 32));
}

TEST(StunReader, TakesTheFirstOfTwo) {
    const std::string bytes = message_of("0006 0001 61000000 0006 0001 62000000");
    EXPECT_EQ(read_message(as_bytes(bytes))->text(Attribute::username), "a");
}

TEST(StunReader, TakesNothingBehindIntegrity) {
    const std::string sha1 = "0008 0014 " + std::string(40, '0');
    const std::string sha256 = "001C 0020 " + std::string(64, '0');
    const auto with = [](const std::string& attributes) {
        return message_of(attributes + "0006 0001 61000000 7FFF 0000");
    };
    for (const std::string& bytes : {with(sha1), with(sha256), with(sha1 + sha256)}) {
        const auto message = read_message(as_bytes(bytes));
        ASSERT_TRUE(message);
        EXPECT_FALSE(message->has(Attribute::username));
        EXPECT_TRUE(message->unknown().empty());
    }
    const std::string sha1_last = message_of(sha256 + sha1);
    EXPECT_FALSE(read_message(as_bytes(sha1_last))->has(Attribute::message_integrity));
    const std::string both_and_more = message_of(sha1 + sha256 + "8028 0004 00000000");
    const auto both = read_message(as_bytes(both_and_more));
    EXPECT_TRUE(both->has(Attribute::message_integrity));
    EXPECT_TRUE(both->has(Attribute::message_integrity_sha256));
    EXPECT_TRUE(both->has(Attribute::fingerprint));
    EXPECT_EQ(both->integrity(Attribute::message_integrity_sha256)->attributes.size(), 24U);
}

TEST(StunReader, NamesRequiredAttributesThatNobodyKnows) {
    const std::string bytes = message_of("7FFF 0000 8FFF 0000 0001 0000 7FFE 0004 00000000 7FFF 0000");
    EXPECT_THAT(read_message(as_bytes(bytes))->unknown(), ElementsAre(0x7FFF, 0x7FFE));
    std::string many;
    for (int i = 0; i < 20; ++i) many += "70" + std::to_string(10 + i) + "0000";
    const std::string flood = message_of(many);
    EXPECT_EQ(read_message(as_bytes(flood))->unknown().size(), Message::most_unknown);
}

TEST(StunReader, NamesAnAttributeOfAWrongLength) {
    EXPECT_EQ(read_message(as_bytes(message_of("000D 0003 00000000")))->bad_attribute(), Attribute::lifetime);
    EXPECT_EQ(read_message(as_bytes(message_of("001C 0012 " + std::string(40, '0'))))->bad_attribute(),
              Attribute::message_integrity_sha256);
    EXPECT_FALSE(read_message(as_bytes(message_of("000D 0004 00000000")))->bad_attribute());
}

TEST(StunReader, GivesEachPeerAddressInTurn) {
    const std::string bytes =
        message_of("0012 0008 0001 1B9A E112A643 0012 0008 0003 1B9A E112A643 0012 0008 0001 1B9B E112A640");
    std::vector<std::string> seen;
    read_message(as_bytes(bytes))->each_address(Attribute::xor_peer_address, [&](const auto& address) {
        seen.push_back(address ? address->to_string() : "bad");
    });
    EXPECT_THAT(seen, ElementsAre("192.0.2.1:14984", "bad", "192.0.2.2:14985"));
}

TEST(StunWriter, WritesABindingAnswerOf32Bytes) {
    std::array<std::byte, 64> room;
    const auto request = read_message(as_bytes(testing::request));
    MessageWriter writer(room, Class::success, Method::binding, request->transaction());
    writer.add_address(Attribute::xor_mapped_address, *SocketAddress::parse("192.0.2.1:32853"));
    EXPECT_EQ(as_text(*writer.finish()),
              from_hex("0101 000C 2112A442 B7E7A701BC34D686FA87DFAE 0020 0008 0001A147E112A643"));
}

TEST(StunWriter, WritesWhatTheReaderReads) {
    std::array<std::byte, 400> room;
    const TransactionId transaction{std::byte{1}, std::byte{2}};
    const auto peer = *SocketAddress::parse("[2001:db8::7]:9");
    MessageWriter writer(room, Class::error, Method::connection_attempt, transaction);
    writer.add_error(438, "Stale Nonce");
    writer.add(Attribute::realm, "example.org");
    writer.add_u32(Attribute::lifetime, 600);
    writer.add_address(Attribute::xor_peer_address, peer);
    writer.add_address(Attribute::other_address, peer);
    writer.add_flag(Attribute::dont_fragment);
    writer.add_unknown(std::array<std::uint16_t, 1>{0x7FFF});
    const Bytes before = writer.begin_integrity(20);
    const std::string prefix(as_text(before));
    writer.add(Attribute::message_integrity, as_bytes(std::string(20, 'm')));
    writer.add_fingerprint();
    const auto bytes = writer.finish();
    ASSERT_TRUE(bytes);
    const auto message = read_message(*bytes);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->kind(), Class::error);
    EXPECT_EQ(message->method(), Method::connection_attempt);
    EXPECT_EQ(message->transaction(), transaction);
    EXPECT_EQ(message->number(Attribute::error_code, 4), 0x426U);
    EXPECT_EQ(message->text(Attribute::error_code).substr(4), "Stale Nonce");
    EXPECT_EQ(message->text(Attribute::realm), "example.org");
    EXPECT_EQ(message->address(Attribute::xor_peer_address), peer);
    EXPECT_EQ(message->address(Attribute::other_address), peer);
    EXPECT_TRUE(message->has(Attribute::dont_fragment));
    EXPECT_EQ(as_text(message->value(Attribute::unknown_attributes)), from_hex("7FFF"));
    EXPECT_TRUE(message->has_valid_fingerprint());
    const auto input = message->integrity(Attribute::message_integrity);
    EXPECT_EQ(std::string(as_text(input->header)) + std::string(as_text(input->attributes)), prefix);
}

TEST(StunWriter, AnswersNothingWhenTheRoomIsTooSmall) {
    for (std::size_t size = 0; size < 36; ++size) {
        std::vector<std::byte> room(size);
        MessageWriter writer(room, Class::success, Method::binding, {});
        writer.add(Attribute::username, "abc");
        writer.add_fingerprint();
        EXPECT_EQ(writer.finish().has_value(), false) << size;
    }
}

TEST(StunWriter, LeavesTheDataOfAnIndicationWhereItIs) {
    std::array<std::byte, 64> room;
    MessageWriter writer(room, Class::indication, Method::data, {});
    writer.add_address(Attribute::xor_peer_address, *SocketAddress::parse("192.0.2.1:9"));
    const auto start = writer.finish_before_data(5);
    ASSERT_TRUE(start);
    const std::string whole = std::string(as_text(*start)) + "hello" + std::string(padding_after(5), '\0');
    const auto message = read_message(as_bytes(whole));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->text(Attribute::data), "hello");
    MessageWriter too_long(room, Class::indication, Method::data, {});
    EXPECT_FALSE(too_long.finish_before_data(0xFFFF));
}

}  // namespace
}  // namespace sallyport::stun
