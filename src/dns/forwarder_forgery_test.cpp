// Answers that nobody asked for, and how hard it is to guess one that fits (RFC 5452).
#include "dns/forwarder_testing.hpp"
#include "dns/pass_back.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using testing::address_for;
using testing::Bench;
using testing::id_of;
using testing::NameServer;
using testing::tell_story;

TEST(DnsForwarderForgery, TakesOnlyAnAnswerThatFits) {
    struct Lie {
        std::string_view name;
        std::function<std::string(const std::string& query)> write;
    };
    const auto truth = [](const std::string& query) { return address_for(query, "06060606").front(); };
    const std::vector<Lie> lies = {
        {"another ID",
         [truth](const std::string& query) {
             auto out = truth(query);
             out[1] ^= 1;
             return out;
         }},
        {"another name",
         [](const std::string& query) {
             return testing::answer({.question = testing::question_of(testing::query({.name = "xq.example.com"})),
                                     .id = id_of(query),
                                     .answers = {{"xq.example.com"}}});
         }},
        {"another type",
         [truth](const std::string& query) {
             auto out = truth(query);
             out[header_size + testing::question_of(query).size() - 3] ^= 1;
             return out;
         }},
        {"a question",
         [truth](const std::string& query) {
             auto out = truth(query);
             out[2] &= 0x7F;
             return out;
         }},
        {"cut off", [truth](const std::string& query) { return truth(query).substr(0, 40); }},
        {"nothing", [](const std::string&) { return std::string(); }},
    };
    for (const Lie& lie : lies) {
        SCOPED_TRACE(lie.name);
        tell_story([&lie](io::Scope& scope) -> io::Task<void> {
            NameServer server(scope, [&lie](const std::string& query) {
                return std::vector{lie.write(query), address_for(query).front()};
            });
            Bench bench(scope, {server.address()});
            bench.ask({});
            co_await bench.wait(10ms);
            EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
            bench.forwarder.for_each_upstream(
                [](Upstream& upstream) { EXPECT_EQ(upstream.facts().numbers.of(Passed::forged), 1U); });
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarderForgery, AsksByTcpWhereSomebodyGuesses) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(
            scope,
            [](const std::string& query) {
                std::vector<std::string> out;
                for (std::uint16_t i = 1; i <= 100; ++i) {
                    out.push_back(address_for(query, "06060606").front());
                    out.back()[0] = static_cast<char>(out.back()[0] + 1);
                    out.back()[1] = static_cast<char>(i);
                }
                return out;
            },
            [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({});
        co_await bench.wait(100ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        EXPECT_EQ(server.tcp_questions, 1);
        co_await bench.forwarder.close();
    });
}

// A name server that writes names in small letters, or not.
class Scribe {
public:
    std::vector<std::string> operator()(const std::string& query) const {
        std::string answer = address_for(query).front();
        if (*flattens) {
            const std::size_t end = header_size + testing::question_of(query).size() - 4;
            for (std::size_t i = header_size; i < end; ++i) answer[i] = static_cast<char>(std::tolower(answer[i]));
        }
        return {answer};
    }
    std::shared_ptr<bool> flattens = std::make_shared<bool>(false);
};

TEST(DnsForwarderForgery, ThrowsACoinForEachLetterAndWantsThemBack) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const Scribe udp, tcp;
        NameServer server(scope, udp, tcp);
        Bench bench(scope, {server.address()}, 0);
        const testing::QueryText question{.name = "a-name-of-so-many-letters-that-some-are-capitals.example.com"};
        const auto ask = [&]() -> io::Task<void> {
            bench.ask(question);
            co_await bench.wait(100ms);
            EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        };
        co_await ask();
        co_await ask();
        EXPECT_NE(testing::question_of(server.heard[0]), testing::question_of(server.heard[1]));
        EXPECT_EQ(server.tcp_questions, 0);
        *udp.flattens = true;
        co_await ask();
        EXPECT_EQ(server.tcp_questions, 1) << "somebody guessed all but the letters";
        *tcp.flattens = true;
        co_await ask();
        EXPECT_EQ(server.tcp_questions, 2);
        co_await ask();
        EXPECT_EQ(server.tcp_questions, 2) << "it is the name server itself: it has changed";
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderForgery, TakesAnyCaseFromOneThatNeverKeptIt) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const Scribe small;
        *small.flattens = true;
        NameServer server(scope, small, small);
        Bench bench(scope, {server.address()}, 0);
        for (int i = 0; i < 3; ++i) {
            bench.ask({.name = "a-name-of-so-many-letters-that-some-are-capitals.example.com"});
            co_await bench.wait(100ms);
            EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        }
        EXPECT_EQ(server.tcp_questions, 0);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarderForgery, LeavesFromManyPorts) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        NameServer server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        std::set<std::uint16_t> ids;
        for (int i = 0; i < 200; ++i) {
            const std::string name = "n" + std::to_string(i) + ".test";
            bench.ask({.name = name});
            co_await bench.wait(1ms);
        }
        for (const std::string& query : server.heard) ids.insert(id_of(query));
        EXPECT_GT(server.ports.size(), 20U);
        EXPECT_GT(ids.size(), 190U);
        co_await bench.forwarder.close();
    });
}

}  // namespace
}  // namespace sallyport::dns
