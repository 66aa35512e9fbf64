#include "push/resolve.hpp"

#include "wire/dns/answer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::push;

namespace {

using Octets = std::vector<std::byte>;

Octets rdata_of(const IpAddress& address) {
    Octets out;
    for (std::size_t i = address.is_v4() ? 12 : 0; i < 16; ++i) out.push_back(std::byte(address.bytes()[i]));
    return out;
}

// An answer to `query` by our own writer: an address record for each.
Octets answer(const Octets& query, std::initializer_list<const char*> addresses, std::uint16_t rcode = 0) {
    dns::Query asked;
    EXPECT_EQ(dns::read_query(query, asked), dns::Received::query);
    Octets room(1232);
    dns::AnswerWriter writer(room, dns::Asked::of(asked), rcode);
    for (const char* text : addresses) {
        const IpAddress ip = *IpAddress::parse(text);
        writer.answer(ip.is_v4() ? dns::type::a : dns::type::aaaa, 60, rdata_of(ip));
    }
    const Bytes written = writer.finish();
    return {written.begin(), written.end()};
}

const Octets query = write_host_query(0x1234, "7-courier.push.apple.com", dns::type::a);

}  // namespace

TEST(HostAnswer, HoldsTheAddressesOfItsHost) {
    const auto read = read_host_answer(query, answer(query, {"17.57.145.36", "17.57.145.37"}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->state, HostAnswer::State::exists);
    ASSERT_EQ(read->addresses.size(), 2U);
    EXPECT_EQ(read->addresses[1].to_string(), "17.57.145.37");
    EXPECT_EQ(read->ttl, 60U);
}

TEST(HostAnswer, TellsAbsenceFromFailureAndFromNothing) {
    EXPECT_EQ(read_host_answer(query, answer(query, {}))->state, HostAnswer::State::exists);
    EXPECT_EQ(read_host_answer(query, answer(query, {}, 3))->state, HostAnswer::State::absent);
    EXPECT_EQ(read_host_answer(query, answer(query, {}, 2))->detail, "answers SERVFAIL");
    EXPECT_EQ(read_host_answer(query, answer(query, {}, 5))->state, HostAnswer::State::failed);
}

TEST(HostAnswer, IsNoneThatWasCutToNothing) {
    Octets cut = answer(query, {});
    cut[2] |= std::byte(0x02);
    EXPECT_EQ(read_host_answer(query, cut)->detail, "answers in part");
    Octets some = answer(query, {"17.57.145.36"});
    some[2] |= std::byte(0x02);
    EXPECT_EQ(read_host_answer(query, some)->addresses.size(), 1U) << "what came is as good as ever";
}

TEST(HostAnswer, OfBothKindsIsAFailureWhereOneIsMissingAndTheOtherHoldsNothing) {
    using State = HostAnswer::State;
    const HostAnswer some{.state = State::exists, .addresses = {*IpAddress::parse("17.57.145.36")}, .ttl = 60};
    const HostAnswer none{.state = State::exists, .ttl = 60};
    const HostAnswer absent{.state = State::absent, .ttl = 60};
    const HostAnswer failed{.detail = "answers SERVFAIL"};
    struct Case {
        const char* name;
        std::optional<HostAnswer> v4, v6;
        State state;
        std::uint32_t ttl;
    };
    const Case cases[] = {
        {"both", some, some, State::exists, 60},
        {"of one kind", some, none, State::exists, 60},
        {"of neither", none, none, State::exists, 60},
        {"silent about IPv6", some, {}, State::exists, 5},
        {"fails about IPv4", failed, some, State::exists, 5},
        {"silent about IPv4", {}, none, State::failed, 0},
        {"silent about IPv6, and no IPv4", none, {}, State::failed, 0},
        {"fails about IPv4, and no IPv6", failed, none, State::failed, 0},
        {"there is no such name", absent, {}, State::absent, 60},
        {"silent", {}, {}, State::failed, 0},
        {"fails", failed, {}, State::failed, 0},
    };
    for (const Case& c : cases) {
        const HostAnswer out = joined({c.v4, c.v6});
        EXPECT_EQ(out.state, c.state) << c.name;
        EXPECT_EQ(out.ttl, c.ttl) << c.name;
        EXPECT_EQ(out.detail.empty(), c.state != State::failed) << c.name;
    }
    EXPECT_EQ(joined({failed, {}}).detail, "answers SERVFAIL");
}

TEST(HostAnswer, HoldsAnAbsenceForAsLongAsTheZoneSaysButAMinuteAtMost) {
    const auto absent_for = [](std::uint32_t said) {
        dns::Query asked;
        EXPECT_EQ(dns::read_query(query, asked), dns::Received::query);
        Octets room(1232);
        dns::AnswerWriter writer(room, dns::Asked::of(asked), 3);
        writer.start_of_authority(said);
        return read_host_answer(query, writer.finish())->ttl;
    };
    EXPECT_EQ(absent_for(5), 5U);
    EXPECT_EQ(absent_for(3600), 60U);
    EXPECT_EQ(read_host_answer(query, answer(query, {}, 3))->ttl, 0U) << "without an SOA";
}

TEST(HostAnswer, IsToTheQuestionThatWasAsked) {
    const Octets good = answer(query, {"17.57.145.36"});
    Octets other_id = good;
    other_id[0] ^= std::byte(1);
    EXPECT_FALSE(read_host_answer(query, other_id));
    EXPECT_FALSE(read_host_answer(write_host_query(0x1234, "8-courier.push.apple.com", dns::type::a), good));
    EXPECT_FALSE(read_host_answer(write_host_query(0x1234, "7-courier.push.apple.com", dns::type::aaaa), good));
    EXPECT_TRUE(read_host_answer(write_host_query(0x1234, "7-COURIER.push.apple.com", dns::type::a), good));
    EXPECT_FALSE(read_host_answer(query, query)) << "a question is no answer";
    for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(read_host_answer(query, Bytes(good).first(n))) << n;
}

TEST(HostAnswer, FollowsTheChainAndTakesNothingBesideIt) {
    // 7-courier CNAME pool.example, pool.example A 17.1.2.3, elsewhere.example A 192.0.2.1
    Octets message = answer(query, {});
    const auto append = [&message](Bytes bytes) { message.insert(message.end(), bytes.begin(), bytes.end()); };
    const auto record = [&](Bytes owner, std::uint16_t type, std::uint32_t ttl, Bytes rdata) {
        append(owner);
        Octets head(10);
        ByteWriter writer(head);
        writer.u16(type);
        writer.u16(dns::class_in);
        writer.u32(ttl);
        writer.u16(static_cast<std::uint16_t>(rdata.size()));
        append(head);
        append(rdata);
    };
    // The OPT that the writer put at the end goes.
    message.resize(message.size() - dns::opt_size);
    message[11] = std::byte(0);
    message[7] = std::byte(3);
    const dns::Name pool = *dns::Name::parse("pool.example");
    const std::array pointer{std::byte(0xC0), std::byte(12)};
    record(dns::Name::parse("elsewhere.example")->wire(), dns::type::a, 5, rdata_of(*IpAddress::parse("192.0.2.1")));
    record(pointer, dns::type::cname, 20, pool.wire());
    record(pool.wire(), dns::type::a, 60, rdata_of(*IpAddress::parse("17.1.2.3")));
    const auto read = read_host_answer(query, message);
    ASSERT_TRUE(read);
    ASSERT_EQ(read->addresses.size(), 1U);
    EXPECT_EQ(read->addresses[0].to_string(), "17.1.2.3");
    EXPECT_EQ(read->ttl, 20U) << "the shortest of the chain";
}

TEST(HostQuery, IsNoneForWhatIsNoName) {
    EXPECT_TRUE(write_host_query(1, std::string(300, 'x'), dns::type::a).empty());
    EXPECT_TRUE(write_host_query(1, "a..b", dns::type::a).empty());
}

TEST(ServersOfSystem, AreThoseOfResolvConf) {
    const auto servers = servers_of_system(
        "# made by hand\nsearch example\nnameserver 192.0.2.53\nnameserver\t2001:db8::53 \nnameserver none\noptions "
        "ndots:1");
    ASSERT_EQ(servers.size(), 2U);
    EXPECT_EQ(servers[0].to_string(), "192.0.2.53:53");
    EXPECT_EQ(servers[1].to_string(), "[2001:db8::53]:53");
}
