// What forwarding is about, as other name servers' own tests have it: steps of a question, what is told, and how many
// questions the upstream has had by then.
#include "dns/forwarder_testing.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using testing::Bench;
using testing::name_octets;
using testing::NameServer;
using testing::octets;
using testing::RecordText;
using testing::tell_story;

/// What an upstream says by UDP, by TCP (nothing: nobody listens), and how late.
struct Server {
    NameServer::Say udp;
    NameServer::Say tcp = {};
    Duration delay = {};
};

struct Step {
    Duration after;  // the step before
    testing::QueryText question;
    Duration within;
    std::string_view told;
    int asked = 0;  // questions that the upstream has had since the beginning, by UDP
};

struct Scenario {
    std::string_view name;
    Server server;
    std::vector<Step> steps;
};

// "NOERROR www.example.com CNAME b.example.com, b.example.com A 192.0.2.7; example.com NS", ";" before each section.
std::string text_of(const std::string& message) {
    const auto response = read_response(as_bytes(message));
    if (!response) return "garbage";
    std::string out = rcode_name(response->header.flags & flag::rcode);
    if (response->header.has(flag::truncated)) out += " cut";
    RecordReader records(as_bytes(message), response->header, response->records_at());
    auto last = Record::Section::answer;
    for (bool first = true; const auto record = records.next(); first = false) {
        out += record->section != last ? "; " : first ? " " : ", ";
        last = record->section;
        out += read_name(as_bytes(message), record->owner)->name.to_string() + ' ' + type_name(record->type);
        if (record->type == type::cname) out += ' ' + read_name(as_bytes(message), record->rdata)->name.to_string();
        if (record->type == type::a)
            out += ' ' + IpAddress::v4(*ByteReader(as_bytes(message).subspan(record->rdata, 4)).u32()).to_string();
    }
    return out;
}

NameServer::Say says(std::vector<RecordText> answers, std::vector<RecordText> authorities = {},
                     std::uint16_t flags = 0x8180) {
    return [=](const std::string& query) {
        return std::vector{testing::answer({.question = testing::question_of(query),
                                            .id = testing::id_of(query),
                                            .flags = flags,
                                            .answers = answers,
                                            .authorities = authorities})};
    };
}

NameServer::Say says_flags(std::uint16_t flags) { return says({}, {}, flags); }

RecordText address(std::string_view owner, std::uint32_t ttl = 300) { return {.owner = owner, .ttl = ttl}; }
RecordText alias(std::string_view owner, std::string_view target) {
    return {.owner = owner, .type = type::cname, .rdata = name_octets(target)};
}
RecordText name_server(std::string_view owner) {
    return {.owner = owner, .type = type::ns, .rdata = name_octets("ns.example.com")};
}
RecordText authority(std::uint32_t minimum) {
    return {.owner = "example.com", .type = type::soa, .rdata = testing::soa(minimum)};
}

// Addresses of www.example.com, each time another one: 192.0.2.1, 192.0.2.2 ...
NameServer::Say counts(std::uint32_t ttl) {
    return [ttl, last = std::make_shared<char>('\0')](const std::string& query) {
        return says({{"www.example.com", type::a, ttl, octets("C00002") + ++*last}})(query);
    };
}

// The owner of the record is a pointer to the question, in the letters that it came in.
std::vector<std::string> compressed(const std::string& query) {
    std::string answer = says_flags(0x8180)(query).front() + octets("C00C 0001 0001 0000012C 0004 C0000207");
    answer[7] = 1;
    return {answer};
}

std::vector<std::string> twice(const std::string& query) {
    return std::vector(2, says({address("www.example.com")})(query).front());
}

const testing::QueryText www{.name = "www.example.com"};
constexpr std::string_view www_told = "NOERROR www.example.com A 192.0.2.7";

constexpr std::string_view chain_told =
    "NOERROR www.example.com CNAME b.example.net, b.example.net CNAME c.example.org, c.example.org A 192.0.2.7";

const Scenario scenarios[] = {
    {"an answer is told as it came, and told again without asking",
     {says({address("www.example.com")}, {name_server("example.com")})},
     {{0s, www, 10ms, "NOERROR www.example.com A 192.0.2.7; example.com NS", 1},
      {9s, www, 0s, "NOERROR www.example.com A 192.0.2.7; example.com NS", 1}}},
    {"a chain of aliases is told whole",
     {says({alias("www.example.com", "b.example.net"), alias("b.example.net", "c.example.org"),
            address("c.example.org")})},
     {{0s, www, 10ms, chain_told, 1}, {9s, www, 0s, chain_told, 1}}},
    {"an alias whose target has no such type is told, and nobody goes after it",
     {says({alias("www.example.com", "b.example.net")}, {authority(60)})},
     {{0s, www, 10ms, "NOERROR www.example.com CNAME b.example.net; example.com SOA", 1}}},
    {"an owner that points to the question follows its letters",
     {compressed},
     {{0s, www, 10ms, www_told, 1}, {1s, {.name = "WWW.EXAMPLE.COM"}, 0s, "NOERROR WWW.EXAMPLE.COM A 192.0.2.7", 1}}},
    {"what lives for no time is told to who asked, and asked again for the next",
     {counts(0)},
     {{0s, www, 10ms, "NOERROR www.example.com A 192.0.2.1", 1},
      {0s, www, 10ms, "NOERROR www.example.com A 192.0.2.2", 2}}},
    {"what is past its time is asked for anew",
     {counts(300)},
     {{0s, www, 10ms, "NOERROR www.example.com A 192.0.2.1", 1},
      {299s, www, 0s, "NOERROR www.example.com A 192.0.2.1", 1},
      {3s, www, 10ms, "NOERROR www.example.com A 192.0.2.2", 2}}},
    {"that there is no such name is an answer, kept as long as its SOA says",
     {says({}, {authority(60)}, 0x8183)},
     {{0s, www, 10ms, "NXDOMAIN; example.com SOA", 1},
      {59s, www, 0s, "NXDOMAIN; example.com SOA", 1},
      {3s, www, 10ms, "NXDOMAIN; example.com SOA", 2}}},
    {"that there is no such name without an SOA is told and not kept",
     {says_flags(0x8183)},
     {{0s, www, 10ms, "NXDOMAIN", 1}, {1s, www, 10ms, "NXDOMAIN", 2}}},
    {"a failure is not asked for again at once",
     {says_flags(0x8182)},
     {{0s, www, 10ms, "SERVFAIL", 1}, {1s, www, 0s, "SERVFAIL", 1}, {2s, www, 10ms, "SERVFAIL", 2}}},
    {"who does not understand EDNS says so to the client, who knows what to do",
     {says_flags(0x8181)},
     {{0s, {.name = "www.example.com", .edns = true}, 10ms, "FORMERR; . OPT", 1}}},
    {"a late answer is taken, and what comes after it passed over",
     {says({address("www.example.com")}), {}, 1s},
     {{0s, www, 990ms, "", 2}, {0s, {.name = "other.example.com"}, 900ms, www_told, 4}}},
    {"an answer that comes twice is told once", {twice}, {{0s, www, 10ms, www_told, 1}}},
    {"what is cut, by one that nobody can connect to, is a failure",
     {says_flags(0x8380)},
     {{0s, www, 100ms, "SERVFAIL", 3}}},
    {"what is cut by TCP too is told cut",
     {says_flags(0x8380), says_flags(0x8380)},
     {{0s, www, 100ms, "NOERROR cut", 1}}},
};

TEST(DnsForwarderScenarios, AreAsOtherNameServersHaveThem) {
    for (const Scenario& scenario : scenarios) {
        SCOPED_TRACE(scenario.name);
        tell_story([&scenario](io::Scope& scope) -> io::Task<void> {
            NameServer server(scope, scenario.server.udp, scenario.server.tcp);
            server.delay = scenario.server.delay;
            Bench bench(scope, {server.address()});
            for (const Step& step : scenario.steps) {
                co_await bench.wait(step.after);
                bench.ask(step.question);
                if (step.within != 0s) co_await bench.wait(step.within);
                std::string told;
                for (const std::string& answer : std::exchange(bench.answers, {})) told += text_of(answer);
                EXPECT_EQ(told, step.told);
                EXPECT_EQ(server.udp_questions, step.asked);
            }
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarderScenarios, TellsWhoIsOneTooManyAtOnce) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, testing::silence);
        Bench bench(scope, {server.address()});
        for (std::size_t i = 0; i < Forwarder::most_under_way; ++i) {
            const std::string name = "n" + std::to_string(i) + ".example.com";
            bench.ask({.name = name});
        }
        EXPECT_EQ(bench.told(), "");
        bench.ask(www);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        for (std::size_t i = Forwarder::most_under_way; i < Forwarder::most_waiting; ++i)
            bench.ask({.name = "n0.example.com"});
        EXPECT_EQ(bench.told(), "") << "there is room to join one that is under way";
        bench.ask({.name = "n0.example.com"});
        EXPECT_EQ(bench.told(), "SERVFAIL");
        EXPECT_EQ(bench.forwarder.numbers().of(Event::busy).value(), 2U);
        co_await bench.forwarder.close();
        EXPECT_EQ(bench.answers.size(), Forwarder::most_waiting);
    });
}

}  // namespace
}  // namespace sallyport::dns
