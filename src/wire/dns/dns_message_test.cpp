#include "wire/dns/answer.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using testing::octets;

TEST(DnsQuery, IsReadStrictly) {
    const std::string_view question = "02'hq'00 0001 0001 ";
    const std::string_view opt = "00 0029 04D0 00008000 0000 ";
    struct Case {
        std::string_view name;
        std::string message;
        Received received;
    };
    const auto with = [&](std::string_view head, std::string_view rest) {
        return octets(std::string(head) + std::string(question) + std::string(rest));
    };
    const Case cases[] = {
        {"a question", with("1234 0100 0001 0000 0000 0000", ""), Received::query},
        {"a question with OPT", with("1234 0100 0001 0000 0000 0001", opt), Received::query},
        {"unknown flags", with("1234 0170 0001 0000 0000 0000", ""), Received::query},
        {"shorter than a header", octets("1234 0100 0001 0000 0000 00"), Received::nothing},
        {"an answer", with("1234 8100 0001 0000 0000 0000", ""), Received::nothing},
        {"an answer with another operation", with("1234 A900 0001 0000 0000 0000", ""), Received::nothing},
        {"STATUS", with("1234 1000 0001 0000 0000 0000", ""), Received::not_implemented},
        {"UPDATE", with("1234 2800 0001 0000 0000 0000", ""), Received::not_implemented},
        {"no question", octets("1234 0100 0000 0000 0000 0000"), Received::malformed},
        {"two questions", with("1234 0100 0002 0000 0000 0000", question), Received::malformed},
        {"a question that is announced and missing", octets("1234 0100 0001 0000 0000 0000"), Received::malformed},
        {"a question that breaks off", octets("1234 0100 0001 0000 0000 0000 02'hq'00 0001 00"), Received::malformed},
        {"a compressed question", octets("1234 0100 0001 0000 0000 0000 C00C 0001 0001"), Received::malformed},
        {"a question that points to a zero", octets("1234 0100 0001 0000 0000 0000 C000 0001 0001"),
         Received::malformed},
        {"an answer in a question", with("1234 0100 0001 0001 0000 0000", "C00C 0001 0001 00000000 0004 01020304"),
         Received::malformed},
        {"a record announced and missing", with("1234 0100 0001 0000 0000 0001", ""), Received::malformed},
        {"more than announced", with("1234 0100 0001 0000 0000 0000", "00"), Received::malformed},
        {"OPT twice", with("1234 0100 0001 0000 0000 0002", std::string(opt) + std::string(opt)), Received::malformed},
        {"OPT with a name", with("1234 0100 0001 0000 0000 0001", "01'a'00 0029 04D0 00000000 0000"),
         Received::malformed},
        {"OPT longer than the message", with("1234 0100 0001 0000 0000 0001", "00 0029 04D0 00000000 0004"),
         Received::malformed},
        {"an option that breaks off", with("1234 0100 0001 0000 0000 0001", "00 0029 04D0 00000000 0004 000A0001"),
         Received::malformed},
        {"another record than OPT", with("1234 0100 0001 0000 0000 0001", "00 00FA 00FF 00000000 0000"),
         Received::malformed},
        {"a later EDNS", with("1234 0100 0001 0000 0000 0001", "00 0029 04D0 00010000 0000"), Received::bad_version},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Query query;
        EXPECT_EQ(read_query(as_bytes(c.message), query), c.received);
    }
}

TEST(DnsQuery, TellsWhatWasAsked) {
    const std::string message = testing::query({.name = "HQ.example.com",
                                                .type = type::https,
                                                .edns = true,
                                                .payload = 100,
                                                .dnssec_ok = true,
                                                .options = octets("000A 0002 ABCD 000C 0000")});
    Query query;
    ASSERT_EQ(read_query(as_bytes(message), query), Received::query);
    EXPECT_EQ(query.header.id, 0x1234);
    EXPECT_EQ(as_text(query.name()), octets("02'HQ'07'example'03'com'00"));
    EXPECT_EQ(query.type, type::https);
    EXPECT_EQ(query.qclass, class_in);
    EXPECT_EQ(query.edns->payload, 512) << "less counts as 512";
    EXPECT_TRUE(query.edns->dnssec_ok);
    Bytes options = query.edns->options;
    EXPECT_EQ(next_option(options)->code, option::cookie);
    EXPECT_EQ(next_option(options)->code, option::padding);
    EXPECT_FALSE(next_option(options));
}

TEST(DnsResponse, IsReadWhole) {
    const std::string_view a = "C00C 0001 0001 0000001E 0004 0A010203 ";
    struct Case {
        std::string_view name;
        std::string message;
        bool good;
    };
    const std::string head = "1234 8180 0001 ";
    const std::string question = "02'hq'00 0001 0001 ";
    const Case cases[] = {
        {"an answer", head + "0001 0000 0000" + question + std::string(a), true},
        {"an empty one", head + "0000 0000 0000" + question, true},
        {"a question", "1234 0100 0001 0000 0000 0000" + question, false},
        {"another operation", "1234 A880 0001 0000 0000 0000" + question, false},
        {"no question", "1234 8180 0000 0000 0000 0000", false},
        {"more records than there are", head + "0002 0000 0000" + question + std::string(a), false},
        {"fewer records than there are", head + "0000 0000 0000" + question + std::string(a), false},
        {"rdata that runs out", head + "0001 0000 0000" + question + "C00C 0001 0001 0000001E 0005 0A010203", false},
        {"counts of 65535", head + "FFFF FFFF FFFF" + question + std::string(a), false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(read_response(as_bytes(octets(c.message))).has_value(), c.good);
    }
}

TEST(DnsAnswer, RepeatsTheQuestionAsItWasAsked) {
    const std::string asked = testing::query({.name = "hQ.ExAmPlE.com", .flags = 0x0110, .edns = true});
    Query query;
    ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 512> room;
    AnswerWriter writer(room, Asked::of(query), 0, flag::authoritative);
    writer.answer(type::a, 30, as_bytes(octets("0A010203")));
    EXPECT_EQ(as_text(writer.finish()), octets("1234 8590 0001 0001 0000 0001"
                                               "02'hQ'07'ExAmPlE'03'com'00 0001 0001"
                                               "C00C 0001 0001 0000001E 0004 0A010203"
                                               "00 0029 04D0 00000000 0000"));
}

TEST(DnsAnswer, HasAnOptOnlyForThoseWhoSentOne) {
    const std::string asked = testing::query({});
    Query query;
    ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 512> room;
    EXPECT_EQ(as_text(AnswerWriter(room, Asked::of(query), 5).finish(ExtendedError::prohibited)),
              octets("1234 8185 0001 0000 0000 0000 02'hq'07'example'03'com'00 0001 0001"));
}

TEST(DnsAnswer, PutsWhatDoesNotFitInTheHeaderIntoOpt) {
    const std::string asked = testing::query({.name = ".", .edns = true, .dnssec_ok = true});
    Query query;
    ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 512> room;
    EXPECT_EQ(as_text(AnswerWriter(room, Asked::of(query), bad_version).finish()),
              octets("1234 8180 0001 0000 0000 0001 00 0001 0001 00 0029 04D0 01008000 0000"));
    EXPECT_EQ(as_text(AnswerWriter(room, Asked::of(query), 0).finish(ExtendedError::stale_answer)),
              octets("1234 8180 0001 0000 0000 0001 00 0001 0001 00 0029 04D0 00008000 0006 000F 0002 0003"));
}

TEST(DnsAnswer, IsCutToNothingRatherThanToAPart) {
    const std::string asked = testing::query({.edns = true});
    Query query;
    ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 512> room;
    const std::size_t whole = header_size + query.question.size() + 2 * 16 + opt_size;
    const auto answer = [&](std::size_t limit) {
        AnswerWriter writer(MutableBytes(room).first(limit), Asked::of(query), 0);
        writer.answer(type::a, 30, as_bytes("abcd"));
        writer.answer(type::a, 30, as_bytes("efgh"));
        return writer.finish();
    };
    EXPECT_EQ(read_header(answer(whole))->answers, 2);
    for (const std::size_t limit : {whole - 1, whole - 16, whole - 2 * 16}) {
        const auto header = read_header(answer(limit));
        EXPECT_EQ(header->answers, 0);
        EXPECT_EQ(header->additionals, 1);
        EXPECT_TRUE(header->has(flag::truncated));
    }
    EXPECT_EQ(read_header(answer(header_size + query.question.size()))->additionals, 0);
    EXPECT_TRUE(answer(header_size + query.question.size() - 1).empty());
}

TEST(DnsTypes, AreNamed) {
    EXPECT_EQ(type_name(type::https), "HTTPS");
    EXPECT_EQ(type_name(65280), "TYPE65280");
    EXPECT_EQ(type_by_name("aaaa"), type::aaaa);
    EXPECT_EQ(type_by_name("type65280"), 65280);
    EXPECT_FALSE(type_by_name("TYPE"));
    EXPECT_FALSE(type_by_name("TYPE65536"));
    EXPECT_FALSE(type_by_name("HQ"));
    EXPECT_EQ(rcode_name(3), "NXDOMAIN");
    EXPECT_EQ(rcode_name(16), "BADVERS");
    EXPECT_EQ(rcode_name(11), "RCODE11");
}

}  // namespace
}  // namespace sallyport::dns
