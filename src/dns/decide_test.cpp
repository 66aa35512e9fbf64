#include "dns/decide.hpp"

#include "base/text.hpp"
#include "dns/reverse.hpp"
#include "dns/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

using testing::office;
using testing::seed;

Decision decide_for(const Zones& zones, std::string_view name, std::uint16_t type, std::string_view client,
                    Claims* claims = nullptr, Trail* trail = nullptr, std::uint16_t qclass = class_in) {
    const Name parsed = Name::parse(name).value();
    const NameKey key(parsed.wire(), seed);
    return decide(zones, {parsed.wire(), type, qclass, IpAddress::parse(client).value()}, key, claims, trail);
}

// What the client would be told: the answer's code, its records, and SOA where that is all; or whom we would ask.
std::string told(const Zones& zones, std::string_view name, std::uint16_t type, std::string_view client,
                 Claims* claims = nullptr) {
    const Decision decision = decide_for(zones, name, type, client, claims);
    if (decision.outcome == Outcome::forward) return "ask " + decision.group->servers.front().to_string();
    const std::string asked = testing::query({.name = name, .type = type});
    Query query;
    EXPECT_EQ(read_query(as_bytes(asked), query), Received::query);
    std::array<std::byte, 1232> room;
    const Bytes answer = write_answer(room, Asked::of(query), type, decision);
    const auto response = read_response(answer);
    EXPECT_TRUE(response);
    std::string out = rcode_name(response->header.flags & flag::rcode);
    RecordReader records(answer, response->header, response->records_at());
    while (const auto record = records.next()) {
        EXPECT_TRUE(same_name(read_name(answer, record->owner)->name.wire(), query.name()));
        out += ' ' + type_name(record->type);
        const Bytes rdata = answer.subspan(record->rdata, record->size);
        if (record->type == type::ptr) out += '=' + read_name(answer, record->rdata)->name.to_string();
        if (record->type == type::a) { out += '=' + IpAddress::v4(*ByteReader(rdata).u32()).to_string(); }
        if (record->type == type::aaaa) {
            std::array<std::uint8_t, 16> octets;
            std::memcpy(octets.data(), rdata.data(), octets.size());
            out += '=' + IpAddress::v6(octets).to_string();
        }
    }
    return out;
}

TEST(DnsDecision, FollowsTheViewsAndTheNamesThatAreOurs) {
    struct Case {
        std::string_view why, name;
        std::uint16_t type;
        std::string_view client, told;
    };
    const std::string_view inside = "10.1.0.7", branch = "10.2.0.7", both = "10.2.9.7", guest = "10.9.0.7";
    const Case cases[] = {
        {"a stranger", "hq.example.com", type::a, "192.0.2.7", "REFUSED"},
        {"a stranger's other question", "example.net", type::a, "192.0.2.7", "REFUSED"},
        {"a client in no view", "hq.example.com", type::a, inside, "NOERROR A=172.16.0.10"},
        {"whatever the case", "HQ.Example.COM", type::a, inside, "NOERROR A=172.16.0.10"},
        {"a name has all its types", "hq.example.com", type::aaaa, inside, "NOERROR SOA"},
        {"HTTPS too", "hq.example.com", type::https, inside, "NOERROR SOA"},
        {"and types that nobody has yet", "hq.example.com", 65280, inside, "NOERROR SOA"},
        {"its view's records stand in the place of the others", "hq.example.com", type::a, branch,
         "NOERROR A=10.2.0.10"},
        {"with their own types", "hq.example.com", type::aaaa, branch, "NOERROR AAAA=fd00::10"},
        {"of two views the first", "hq.example.com", type::a, both, "NOERROR A=10.2.0.10"},
        {"a view without records of its own", "hq.example.com", type::a, guest, "NOERROR A=172.16.0.10"},
        {"ANY gets one set", "hq.example.com", type::any, branch, "NOERROR A=10.2.0.10"},
        {"a name that exists elsewhere alone", "printer.example.com", type::a, inside, "ask 192.0.2.53"},
        {"and here", "printer.example.com", type::a, branch, "NOERROR A=10.2.0.99"},
        {"a name without addresses", "nothing.example.com", type::a, inside, "NOERROR SOA"},
        {"below a name that is ours", "x.hq.example.com", type::a, inside, "ask 192.0.2.53"},
        {"above it", "example.com", type::a, inside, "ask 192.0.2.53"},
        {"a pattern", "x.apps.example.com", type::a, inside, "NOERROR A=172.16.0.20"},
        {"a pattern, further below", "y.x.apps.example.com", type::a, inside, "NOERROR A=172.16.0.20"},
        {"a pattern has all types", "x.apps.example.com", type::aaaa, inside, "NOERROR SOA"},
        {"a pattern is not for its domain itself", "apps.example.com", type::a, inside, "ask 192.0.2.53"},
        {"a name beats a pattern", "one.apps.example.com", type::a, inside, "NOERROR A=172.16.0.21"},
        {"a longer domain beats a pattern", "a.deep.apps.example.com", type::a, inside, "ask 172.16.0.55"},
        {"a domain with name servers of its own", "corp.example", type::a, inside, "ask 172.16.0.53"},
        {"and what is below it", "a.b.Corp.Example", type::mx, inside, "ask 172.16.0.53"},
        {"the longest one", "x.lab.corp.example", type::a, branch, "ask 172.16.0.54"},
        {"in its view alone", "x.lab.corp.example", type::a, inside, "ask 172.16.0.53"},
        {"labels are whole", "notcorp.example", type::a, inside, "ask 192.0.2.53"},
        {"everything else", "api.push.apple.com", type::txt, inside, "ask 192.0.2.53"},
        {"by the upstream of its view", "api.push.apple.com", type::txt, branch, "ask 10.2.0.1"},
        {"a view without upstreams has those of all", "example.net", type::a, guest, "ask 192.0.2.53"},
        {"a denied name", "use-application-dns.net", type::a, inside, "NXDOMAIN SOA"},
        {"and below", "x.ads.example", type::a, inside, "NXDOMAIN SOA"},
        {"but for what is ours", "yes.ads.example", type::a, inside, "NOERROR A=172.16.0.30"},
        {"the name of an address", "10.0.16.172.in-addr.arpa", type::ptr, inside, "NOERROR PTR=hq.example.com"},
        {"in the view that has it", "10.0.2.10.in-addr.arpa", type::ptr, inside, "NXDOMAIN SOA"},
        {"of IPv6", "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", type::ptr, branch,
         "NOERROR PTR=hq.example.com"},
        {"no zone transfers", "example.net", type::axfr, inside, "REFUSED"},
        {"the root", ".", type::ns, inside, "ask 192.0.2.53"},
    };
    const Zones zones(office(), seed);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.why);
        EXPECT_EQ(told(zones, c.name, c.type, c.client), c.told);
    }
}

TEST(DnsDecision, AsksNobodyOutsideAboutSpecialNames) {
    config::Config config = office();
    config.dns_forwards.push_back(
        {.place = {},
         .domains = testing::located({config::DnsName{"firm.local"}, config::DnsName{"1.10.in-addr.arpa"}}),
         .upstream = testing::upstreams({"172.16.0.56"}),
         .views = {}});
    config.dns_records.push_back(testing::record("printer.local", {"172.16.0.40"}));
    const Zones zones(config, seed);
    const std::string_view inside = "10.1.0.7", branch = "10.2.0.7";  // whose upstream is inside
    struct Case {
        std::string_view why, name;
        std::uint16_t type;
        std::string_view client, told;
    };
    const Case cases[] = {
        {"this machine", "localhost", type::a, inside, "NOERROR A=127.0.0.1"},
        {"in IPv6", "LocalHost", type::aaaa, inside, "NOERROR AAAA=::1"},
        {"has no mail", "localhost", type::mx, inside, "NOERROR SOA"},
        {"below it", "x.y.localhost", type::a, branch, "NOERROR A=127.0.0.1"},
        {"its reverse", "1.0.0.127.in-addr.arpa", type::ptr, inside, "NOERROR PTR=localhost"},
        {"its neighbor's", "2.0.0.127.in-addr.arpa", type::ptr, inside, "NXDOMAIN SOA"},
        {"its reverse in IPv6", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", type::ptr,
         inside, "NOERROR PTR=localhost"},
        {"nowhere", "x.invalid", type::a, inside, "NXDOMAIN SOA"},
        {"not even inside", "x.onion", type::a, branch, "NXDOMAIN SOA"},
        {"the upstream's encrypted self", "_dns.resolver.arpa", type::svcb, inside, "NXDOMAIN SOA"},
        {"multicast", "tv.local", type::a, inside, "NXDOMAIN SOA"},
        {"but for what is ours", "printer.local", type::a, inside, "NOERROR A=172.16.0.40"},
        {"and above that", "local", type::a, inside, "NOERROR SOA"},
        {"or is forwarded", "dc.firm.local", type::a, inside, "ask 172.16.0.56"},
        {"inside somebody may know", "tv.local", type::a, branch, "ask 10.2.0.1"},
        {"private addresses", "1.1.168.192.in-addr.arpa", type::ptr, inside, "NXDOMAIN SOA"},
        {"up to the last", "1.1.31.172.in-addr.arpa", type::ptr, inside, "NXDOMAIN SOA"},
        {"and no further", "1.1.32.172.in-addr.arpa", type::ptr, inside, "ask 192.0.2.53"},
        {"above one of them", "168.192.in-addr.arpa", type::soa, inside, "NOERROR SOA"},
        {"a part of one", "1.168.192.in-addr.arpa", type::ptr, inside, "NOERROR SOA"},
        {"one that is forwarded", "1.1.1.10.in-addr.arpa", type::ptr, inside, "ask 172.16.0.56"},
        {"one that somebody inside may know", "1.1.168.192.in-addr.arpa", type::ptr, branch, "ask 10.2.0.1"},
        {"link-local ones in IPv6", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa",
         type::ptr, inside, "NXDOMAIN SOA"},
        {"a laboratory's", "x.test", type::a, inside, "ask 192.0.2.53"},
        {"labels are whole", "notlocal", type::a, inside, "ask 192.0.2.53"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.why);
        EXPECT_EQ(told(zones, c.name, c.type, c.client), c.told);
    }
    config.dns_records.push_back(testing::record("localhost", {"172.16.0.41"}));
    EXPECT_EQ(told(Zones(config, seed), "localhost", type::a, inside), "NOERROR A=172.16.0.41") << "as it is told to";
}

TEST(DnsDecision, AllowsPrivateAddressesOnlyWhereTheyAreExpected) {
    const Zones zones(office(), seed);
    EXPECT_FALSE(decide_for(zones, "example.net", type::a, "10.1.0.7").private_allowed);
    EXPECT_TRUE(decide_for(zones, "x.nas.example", type::a, "10.1.0.7").private_allowed);
    EXPECT_TRUE(decide_for(zones, "x.corp.example", type::a, "10.1.0.7").private_allowed);
}

TEST(DnsDecision, RefusesOtherClassesAndWhatNobodyIsThereToAnswer) {
    config::Config config = office();
    EXPECT_EQ(decide_for(Zones(config, seed), "version.bind", type::txt, "10.1.0.7", nullptr, nullptr, 3).outcome,
              Outcome::unserved);
    config.dns.upstream.clear();
    EXPECT_EQ(told(Zones(config, seed), "example.net", type::a, "10.1.0.7"), "REFUSED");
    EXPECT_EQ(told(Zones(config, seed), "hq.example.com", type::a, "10.1.0.7"), "NOERROR A=172.16.0.10");
}

TEST(DnsDecision, ServesThisMachineAndPrivateNetworksUnlessToldOtherwise) {
    config::Config config = office();
    config.dns.clients.clear();
    const Zones zones(config, seed);
    for (const char* client : {"127.0.0.1", "::1", "192.168.1.1", "172.31.0.1", "fd12::1", "fe80::1"})
        EXPECT_TRUE(zones.serves(*IpAddress::parse(client))) << client;
    for (const char* client : {"8.8.8.8", "2001:db8::1", "172.32.0.1"})
        EXPECT_FALSE(zones.serves(*IpAddress::parse(client))) << client;
}

struct Couriers final : Claims {
    Claim answer;
    int asked = 0;
    std::optional<Claim> claim(const ClaimQuestion& question) override {
        ++asked;
        const Name name = Name::from_wire(question.name).value();
        if (!equals_ignoring_case(name.to_string(), "7-courier.push.apple.com")) return std::nullopt;
        EXPECT_EQ(question.client.to_string(), "10.2.0.7");
        EXPECT_EQ(question.view, 1U);
        return answer;
    }
    io::Task<Claim> settle(Name, IpAddress) override { co_return answer; }
};

TEST(DnsDecision, AsksAnotherRoomBeforeTheLocalNames) {
    config::Config config = office();
    config.dns_records.push_back(testing::record("7-courier.push.apple.com", {"192.0.2.1"}));
    const Zones zones(config, seed);
    Couriers couriers;
    couriers.answer = {.v4 = *IpAddress::parse("10.100.100.7"), .ttl = 30};
    const auto courier = [&](std::uint16_t type) {
        return told(zones, "7-Courier.push.apple.com", type, "10.2.0.7", &couriers);
    };
    EXPECT_EQ(courier(type::a), "NOERROR A=10.100.100.7");
    EXPECT_EQ(courier(type::aaaa), "NOERROR SOA");
    EXPECT_EQ(courier(type::https), "NOERROR SOA");
    couriers.answer.v6 = *IpAddress::parse("fd00:100::7");
    EXPECT_EQ(courier(type::aaaa), "NOERROR AAAA=fd00:100::7");
    couriers.answer.state = Claim::State::absent;
    EXPECT_EQ(courier(type::a), "NXDOMAIN SOA");
    EXPECT_EQ(told(zones, "api.push.apple.com", type::a, "10.2.0.7", &couriers), "ask 10.2.0.1");
    const int asked = couriers.asked;
    EXPECT_EQ(told(zones, "7-courier.push.apple.com", type::a, "192.0.2.7", &couriers), "REFUSED");
    EXPECT_EQ(couriers.asked, asked) << "strangers are none of its business";
}

TEST(DnsDecision, SaysWhyOnlyWhenAsked) {
    const Zones zones(office(), seed);
    Trail trail;
    decide_for(zones, "x.lab.corp.example", type::a, "10.1.0.7", nullptr, &trail);
    std::string text;
    for (const Step& step : trail) text += step.rule + ": " + step.result + '\n';
    EXPECT_EQ(text,
              "dns.view: the client is in no view\n"
              "dns.forward lab.corp.example: not in this view\n"
              "dns.forward corp.example: match\n"
              "dns.forward corp.example: asks 172.16.0.53\n");
}

TEST(DnsDecision, AnswersStrangersWithNoMoreThanTheySent) {
    const Zones zones(office(), seed);
    for (const bool edns : {false, true}) {
        const std::string asked = testing::query({.name = "hq.example.com", .type = type::any, .edns = edns});
        Query query;
        ASSERT_EQ(read_query(as_bytes(asked), query), Received::query);
        std::array<std::byte, 1232> room;
        const Decision decision = decide_for(zones, "hq.example.com", type::any, "192.0.2.7");
        EXPECT_LE(write_answer(room, Asked::of(query), type::any, decision).size(), asked.size());
    }
}

TEST(DnsZones, FindAmongAHundredThousandNames) {
    config::Config config = office();
    for (int i = 0; i < 100'000; ++i)
        config.dns_records.push_back(testing::record("h" + std::to_string(i) + ".example.test", {"10.1.2.3"}));
    const Zones zones(config, seed);
    EXPECT_EQ(told(zones, "h77777.example.test", type::a, "10.1.0.7"), "NOERROR A=10.1.2.3");
    EXPECT_EQ(told(zones, "h100000.example.test", type::a, "10.1.0.7"), "ask 192.0.2.53");
}

TEST(DnsReverse, NamesAddresses) {
    EXPECT_EQ(reverse_name(*IpAddress::parse("192.0.2.7")).to_string(), "7.2.0.192.in-addr.arpa");
    EXPECT_EQ(reverse_name(*IpAddress::parse("2001:db8::567:89ab")).to_string(),
              "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
}

}  // namespace
}  // namespace sallyport::dns
