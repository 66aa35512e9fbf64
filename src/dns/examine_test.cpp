#include "dns/examine.hpp"

#include "dns/answers_testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using testing::AnswerText;
using testing::octets;
using testing::RecordText;
using testing::soa;

const std::string question = testing::question_of(testing::query({.name = "hq.example.com"}));
constexpr std::uint16_t good = 0x8180, nx = 0x8183;

Examined examined(AnswerText text) {
    if (text.question.empty()) text.question = question;
    const std::string message = testing::answer(text);
    const auto response = read_response(as_bytes(message));
    EXPECT_TRUE(response);
    return examine(as_bytes(message), *response);
}

TEST(DnsExamine, TellsHowLongAnAnswerMayBeKept) {
    using Lifetime = std::optional<std::uint32_t>;
    struct Case {
        std::string_view name;
        AnswerText answer;
        Lifetime lifetime;
    };
    const Case cases[] = {
        {"an address", {.answers = {{"hq.example.com"}}}, 300},
        {"the least of several",
         {.answers = {{"hq.example.com", type::cname, 60, testing::name_octets("a.example.com")}, {"a.example.com"}}},
         60},
        {"not for ever", {.answers = {{"hq.example.com", type::a, 1'000'000}}}, 86'400},
        {"a TTL of 0", {.answers = {{"hq.example.com", type::a, 0}}}, {}},
        {"a negative TTL", {.answers = {{"hq.example.com", type::a, 0x80000001}}}, {}},
        {"no such name", {.flags = nx, .authorities = {{"example.com", type::soa, 900, soa(120)}}}, 120},
        {"by the SOA's own TTL", {.flags = nx, .authorities = {{"example.com", type::soa, 90, soa(120)}}}, 90},
        {"at most an hour", {.flags = nx, .authorities = {{"example.com", type::soa, 9000, soa(9000)}}}, 3600},
        {"no such type", {.authorities = {{"example.com", type::soa, 900, soa(120)}}}, 120},
        {"nothing, without an SOA", {.flags = nx}, {}},
        {"an SOA that breaks off", {.flags = nx, .authorities = {{"example.com", type::soa, 900, "\1a"}}}, {}},
        {"a CNAME to nowhere",
         {.flags = nx,
          .answers = {{"hq.example.com", type::cname, 30, testing::name_octets("a.example.com")}},
          .authorities = {{"example.com", type::soa, 900, soa(120)}}},
         30},
        {"a failure, shortly", {.flags = 0x8182}, 2},
        {"a refusal", {.flags = 0x8185}, {}},
        {"what was cut", {.flags = 0x8380, .answers = {{"hq.example.com"}}}, {}},
        {"with OPT", {.answers = {{"hq.example.com"}}, .opt = true}, 300},
        {"what was not asked", {.answers = {{"hq.example.com"}, {"www.victim.example"}}}, {}},
        {"another name", {.answers = {{"www.victim.example"}}}, {}},
        {"a chain that breaks",
         {.answers = {{"hq.example.com", type::cname, 60, testing::name_octets("a.example.com")}, {"b.example.com"}}},
         {}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(examined(c.answer).lifetime, c.lifetime);
    }
}

TEST(DnsExamine, FollowsAChainOnlySoFar) {
    std::string message;
    for (const std::size_t links : {16U, 17U}) {
        std::array<std::byte, 4096> room;
        ByteWriter out(room);
        out.u32(good);
        out.u16(1);
        out.u16(static_cast<std::uint16_t>(links));
        out.u32(0);
        out.text(testing::question_of(testing::query({.name = "n0.test"})));
        for (std::size_t i = 0; i < links; ++i) {
            const std::string target = testing::name_octets("n" + std::to_string(i + 1) + ".test");
            out.text(testing::name_octets("n" + std::to_string(i) + ".test"));
            out.u16(type::cname);
            out.u16(class_in);
            out.u32(60);
            out.u16(static_cast<std::uint16_t>(target.size()));
            out.text(target);
        }
        const auto response = read_response(out.written());
        ASSERT_TRUE(response);
        EXPECT_EQ(examine(out.written(), *response).on_topic, links == 16);
    }
}

TEST(DnsExamine, SeesAddressesThatLeadInside) {
    const auto a = [](const char* rdata) {
        return examined({.answers = {{"hq.example.com", type::a, 60, octets(rdata)}}}).has_private_address;
    };
    for (const char* inside : {"0A000001", "7F000001", "C0A80101", "AC100001", "A9FE0001", "00000000", "64400001"})
        EXPECT_TRUE(a(inside)) << inside;
    for (const char* outside : {"08080808", "AC200001", "C0000207", "11000001"}) EXPECT_FALSE(a(outside)) << outside;
    const auto aaaa = [](const char* rdata) {
        return examined({.answers = {{"hq.example.com", type::aaaa, 60, octets(rdata)}}}).has_private_address;
    };
    EXPECT_TRUE(aaaa("00000000000000000000000000000001"));
    EXPECT_TRUE(aaaa("FD000000000000000000000000000001"));
    EXPECT_TRUE(aaaa("FE800000000000000000000000000001"));
    EXPECT_TRUE(aaaa("00000000000000000000FFFF0A000001")) << "IPv4 in IPv6's clothes";
    EXPECT_FALSE(aaaa("20010DB8000000000000000000000001"));
}

TEST(DnsExamine, FindsTheOpt) {
    const Examined with = examined({.answers = {{"hq.example.com"}}, .opt = true, .options = octets("000F0002 0003")});
    EXPECT_TRUE(with.has_opt);
    EXPECT_FALSE(with.malformed);
    EXPECT_EQ(with.edns->options.size(), 6U);
    EXPECT_EQ(with.ttls().size(), 1U) << "the OPT's are flags";
    const Examined without = examined({.answers = {{"hq.example.com"}}});
    EXPECT_FALSE(without.has_opt);
    EXPECT_GT(without.end, 12U);
}

TEST(DnsExamine, WantsTheOptAmongTheAdditionalRecords) {
    for (const auto& [counts, malformed] :
         {std::pair("0000 0000 0001", false), {"0000 0001 0000", true}, {"0001 0000 0000", true}}) {
        const std::string message =
            octets("1234 8180 0001 " + std::string(counts) + " 02'hq'00 0001 0001 00 0029 04D0 00000000 0000");
        const auto response = read_response(as_bytes(message));
        ASSERT_TRUE(response) << counts;
        EXPECT_EQ(examine(as_bytes(message), *response).malformed, malformed) << counts;
    }
}

TEST(DnsExamine, SeesNamesThatCantBeRead) {
    const std::string head = "1234 8180 0001 0001 0000 0000 02'hq'00 0001 0001 ";
    for (const char* owner : {"C014", "C0FF", "FFFF"}) {  // itself, beyond the end
        const std::string message = octets(head + owner + " 0001 0001 0000003C 0004 01020304");
        const auto response = read_response(as_bytes(message));
        ASSERT_TRUE(response) << owner;
        EXPECT_TRUE(examine(as_bytes(message), *response).malformed) << owner;
    }
}

}  // namespace
}  // namespace sallyport::dns
