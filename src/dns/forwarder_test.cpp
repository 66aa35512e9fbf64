#include "dns/forwarder.hpp"

#include "dns/answers_testing.hpp"
#include "dns/pass_back.hpp"
#include "dns/testing.hpp"
#include "io/sockets.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::dns {
namespace {

using namespace std::chrono_literals;
using io::testing::VirtualLoop;
using testing::octets;

// A port of loopback that is free for UDP and TCP alike: other programs hold some of either.
std::pair<io::Fd, io::Fd> free_pair() {
    const SocketAddress any{*IpAddress::parse("127.0.0.1"), 0};
    std::vector<io::Fd> held;  // so that no try is made again with the same port
    for (int tries = 0; tries < 100; ++tries) {
        io::Fd tcp = io::listen_tcp(any, {}).value();
        if (auto udp = io::bind_udp(io::local_address(tcp.get()), {})) return {std::move(*udp), std::move(tcp)};
        held.push_back(std::move(tcp));
    }
    throw std::runtime_error("no free port");
}

// A name server on a port of loopback: what it says to each question, by UDP and by TCP.
class Server {
public:
    using Say = std::function<std::vector<std::string>(const std::string& query)>;

    Server(io::Scope& scope, Say udp, Say tcp = {}) : scope_(scope), udp_(std::move(udp)), tcp_(std::move(tcp)) {
        auto [udp_port, tcp_port] = free_pair();
        address_ = io::local_address(udp_port.get());
        socket_.emplace(*io::UdpSocket::adopt(scope.loop(), std::move(udp_port), scope.cancellation()));
        if (tcp_) {
            acceptor_.emplace(*io::Acceptor::adopt(scope.loop(), std::move(tcp_port), scope.cancellation()));
            scope.spawn(serve_tcp());
        }
        scope.spawn(serve_udp());
    }

    std::string address() const { return address_.to_string(); }
    int udp_questions = 0, tcp_questions = 0, connections = 0;
    std::set<std::uint16_t> ports;
    std::vector<std::string> heard;

private:
    io::Task<void> serve_udp() {
        io::DatagramBatch batch;
        while (co_await socket_->readable(io::Deadline::none) == io::Wait::ready) {
            for (const io::Datagram& datagram : socket_->receive(batch)) {
                ++udp_questions;
                ports.insert(datagram.peer.port);
                heard.emplace_back(as_text(datagram.bytes));
                for (const std::string& answer : udp_(heard.back())) {
                    const io::Datagram out{.peer = datagram.peer, .local = {}, .bytes = as_bytes(answer)};
                    socket_->send({&out, 1});
                }
            }
        }
    }
    io::Task<void> serve_tcp() {
        while (co_await acceptor_->readable(io::Deadline::none) == io::Wait::ready) {
            while (auto accepted = acceptor_->accept()) {
                ++connections;
                scope_.spawn(talk(*io::Stream::adopt(scope_.loop(), std::move(accepted->fd), scope_.cancellation())));
            }
        }
    }
    io::Task<void> talk(io::Stream stream) {
        std::string in;
        for (;;) {
            std::array<std::byte, 4096> room;
            const io::Got got = co_await stream.read_some(room, io::Deadline::none);
            if (got.io != io::Io::ok) co_return;
            in += as_text(Bytes(room).first(got.bytes));
            while (in.size() >= 2) {
                const std::size_t size = *ByteReader(as_bytes(in)).u16();
                if (in.size() < 2 + size) break;
                ++tcp_questions;
                for (const std::string& answer : tcp_(in.substr(2, size))) {
                    std::array<std::byte, 2> length;
                    ByteWriter(length).u16(static_cast<std::uint16_t>(answer.size()));
                    stream.write(length);
                    for (const char octet : answer) stream.write(as_bytes(std::string_view(&octet, 1)));
                }
                in.erase(0, 2 + size);
            }
        }
    }

    io::Scope& scope_;
    Say udp_, tcp_;
    SocketAddress address_;
    std::optional<io::UdpSocket> socket_;
    std::optional<io::Acceptor> acceptor_;
};

std::uint16_t id_of(std::string_view message) { return *ByteReader(as_bytes(message)).u16(); }

std::vector<std::string> address_for(const std::string& query, const char* address = "C0000207") {
    const std::string question = testing::question_of(query);
    const Name name = Name::from_wire(as_bytes(question).first(question.size() - 4)).value();
    const std::string text = name.to_string();
    return {testing::answer(
        {.question = question, .id = id_of(query), .answers = {{text, type::a, 300, octets(address)}}})};
}

std::vector<std::string> code_for(const std::string& query, std::uint16_t rcode) {
    return {testing::answer({.question = testing::question_of(query),
                             .id = id_of(query),
                             .flags = static_cast<std::uint16_t>(0x8180 | rcode)})};
}

std::vector<std::string> silence(const std::string&) { return {}; }

// A forwarder with some upstreams, and a client that asks it.
class Bench {
public:
    Bench(io::Scope& scope, std::initializer_list<std::string> upstreams, std::uint32_t cache = 100)
        : scope_(scope), forwarder(scope.loop(), [this] {
              if (answers.empty() || !after_batch) return;
              std::exchange(after_batch, {})();
          }) {
        for (const std::string& upstream : upstreams)
            config_.dns.upstream.push_back({config::parse_dns_upstream(upstream).value(), {}});
        config_.dns.cache = cache;
        adopt();
    }
    void adopt() {
        zones_.emplace(config_, testing::seed);
        forwarder.adopt(*zones_, nullptr);
    }

    struct Told final : Waiting {
        Told(Bench& of, std::string query) : bench(of), message(std::move(query)) {
            EXPECT_EQ(read_query(as_bytes(message), read), Received::query);
        }
        void answered(const Reply& reply) override {
            std::array<std::byte, 1232> room;
            bench.answers.emplace_back(as_text(reply.write(room, Asked::of(read))));
        }
        Bench& bench;
        std::string message;
        Query read;
    };

    // Asks as a server does: what can be answered now is, everything else waits.
    void ask(const testing::QueryText& text) {
        const std::string message = testing::query(text);
        Query query;
        ASSERT_EQ(read_query(as_bytes(message), query), Received::query);
        const NameKey key(query.name(), testing::seed);
        const Decision decision = decide(*zones_, {query.name(), query.type, class_in, *IpAddress::parse("127.0.0.1")},
                                         key, nullptr, nullptr);
        ASSERT_EQ(decision.outcome, Outcome::forward);
        std::array<std::byte, 1232> room;
        const Bytes now = forwarder.answer_now(query, key, decision, room);
        if (!now.empty())
            answers.emplace_back(as_text(now));
        else
            forwarder.ask(query, key, decision, std::make_unique<Told>(*this, message));
        forwarder.flush();
    }
    io::Task<void> wait(Duration time) {
        co_await io::Sleep(scope_.loop(), scope_.cancellation(), scope_.loop().in(time));
    }

    // What the answers said, oldest first: codes, and the first record's rdata.
    std::string told() {
        std::string out;
        for (const std::string& answer : std::exchange(answers, {})) {
            const auto response = read_response(as_bytes(answer));
            EXPECT_TRUE(response);
            out += (out.empty() ? "" : " ") + rcode_name(response->header.flags & flag::rcode);
            if (response->header.has(flag::truncated)) out += " cut";
            RecordReader records(as_bytes(answer), response->header, response->records_at());
            const auto record = records.next();
            if (record && record->section == Record::Section::answer && record->type == type::a)
                out += '=' + IpAddress::v4(*ByteReader(as_bytes(answer).subspan(record->rdata, 4)).u32()).to_string();
        }
        return out;
    }

    io::Scope& scope_;
    config::Config config_;
    std::optional<Zones> zones_;
    std::function<void()> after_batch;  // called once, when a batch has brought answers
    Forwarder forwarder;
    std::vector<std::string> answers;
};

// Runs a test's story with servers in a scope of their own, and ends them all.
template <class Story>
void tell_story(Story story) {
    VirtualLoop loop;
    loop.run([](io::Loop& on, Story told) -> io::Task<void> {
        io::Scope scope(on);
        co_await told(scope);
        scope.cancel();
        co_await scope.join();
    }(*loop, story));
}

TEST(DnsForwarder, PassesAQuestionOnAndItsAnswerBack) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({.name = "HQ.example.com", .id = 0xBEEF});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.answers.size(), 1U);
        EXPECT_EQ(id_of(bench.answers.front()), 0xBEEF);
        EXPECT_TRUE(same_question(as_bytes(testing::question_of(server.heard.front())),
                                  as_bytes(testing::question_of(testing::query({.name = "HQ.example.com"})))));
        EXPECT_NE(id_of(server.heard.front()), 0xBEEF) << "one chance in 65536";
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AnswersAgainOutOfItsCacheAndFetchesWhatIsAskedForAgain) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({});
        co_await bench.wait(10ms);
        for (int i = 0; i < 5; ++i) bench.ask({});
        EXPECT_EQ(bench.told(),
                  "NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7 NOERROR=192.0.2.7 "
                  "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 1);
        co_await bench.wait(280s);
        bench.ask({});
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.wait(10ms);
        EXPECT_EQ(server.udp_questions, 2) << "fetched before it expired";
        co_await bench.wait(200s);
        bench.ask({});
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksOnceForAllWhoWait) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()}, 0);
        for (std::uint16_t id = 1; id <= 3; ++id)
            bench.ask({.name = id == 2 ? "HQ.example.com" : "hq.example.com", .id = id});
        bench.ask({.name = "hq.example.com", .edns = true, .options = octets("0008 0004 0001 0000")});
        co_await bench.wait(10ms);
        EXPECT_EQ(server.udp_questions, 2) << "client subnets are asked for by themselves";
        EXPECT_EQ(bench.answers.size(), 4U);
        for (std::uint16_t id = 1; id <= 3; ++id) EXPECT_EQ(id_of(bench.answers[id - 1U]), id);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksAnewForWhoComesInTheTurnInWhichItAnswered) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()}, 0);
        bench.after_batch = [&bench] { bench.ask({}); };
        bench.ask({});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, TakesOnlyAnAnswerThatFits) {
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
            Server server(scope, [&lie](const std::string& query) {
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

TEST(DnsForwarder, AsksByTcpWhereSomebodyGuesses) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(
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

TEST(DnsForwarder, ThrowsACoinForEachLetterAndWantsThemBack) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const Scribe udp, tcp;
        Server server(scope, udp, tcp);
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

TEST(DnsForwarder, TakesAnyCaseFromOneThatNeverKeptIt) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const Scribe small;
        *small.flattens = true;
        Server server(scope, small, small);
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

TEST(DnsForwarder, LeavesFromManyPorts) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query); });
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

TEST(DnsForwarder, AsksTheNextOneWhenOneIsSilentRefusesOrFails) {
    struct Case {
        std::string_view name;
        std::function<std::vector<std::string>(const std::string&)> first;
        Duration within;
    };
    const Case cases[] = {
        {"silent", silence, 900ms},
        {"SERVFAIL", [](const std::string& query) { return code_for(query, 2); }, 50ms},
        {"REFUSED", [](const std::string& query) { return code_for(query, 5); }, 50ms},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        tell_story([&c](io::Scope& scope) -> io::Task<void> {
            Server bad(scope, c.first);
            Server good(scope, [](const std::string& query) { return address_for(query); });
            Bench bench(scope, {bad.address(), good.address()});
            for (int i = 0; i < 8; ++i) {  // whichever is tried first
                const std::string name = "n" + std::to_string(i) + ".test";
                bench.ask({.name = name});
                co_await bench.wait(c.within);
                EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
            }
            co_await bench.forwarder.close();
        });
    }
}

TEST(DnsForwarder, TellsAtOnceThatNobodyListens) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        std::string gone;
        {
            io::Scope brief(scope.loop());
            Server server(brief, silence);
            gone = server.address();
            brief.cancel();
            co_await brief.join();
        }
        Bench bench(scope, {gone});
        bench.ask({});
        co_await bench.wait(100ms);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, GivesAFailureBackWhenNobodyKnowsBetter) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        const auto refuse = [](const std::string& query) { return code_for(query, 5); };
        Server one(scope, refuse), two(scope, refuse);
        Bench bench(scope, {one.address(), two.address()});
        bench.ask({});
        co_await bench.wait(50ms);
        EXPECT_EQ(bench.told(), "REFUSED");
        EXPECT_EQ(one.udp_questions + two.udp_questions, 2);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, LeavesASilentOneAloneButForProbesUntilItAnswers) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = false;
        Server moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        Server good(scope, [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {moody.address(), good.address()}, 0);
        for (int i = 0; i < 50; ++i) {
            bench.ask({});
            co_await bench.wait(1s);
        }
        // At most the two that were missed, one now and then for the sake of knowing, and probes after 1, 2, 4 ... s.
        EXPECT_LE(moody.udp_questions, 10);
        EXPECT_EQ(bench.answers.size(), 50U);
        answers = true;
        co_await bench.wait(33s);
        bench.forwarder.for_each_upstream([](Upstream& upstream) { EXPECT_FALSE(upstream.health().failing()); });
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, FailsQuicklyWhileAllFailAndRecoversWithTheFirstQuestion) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = false;
        Server moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        Bench bench(scope, {moody.address()}, 0);
        bench.ask({});
        co_await bench.wait(5s);
        EXPECT_EQ(bench.told(), "SERVFAIL");
        bench.ask({.name = "one.test"});
        bench.ask({.name = "two.test"});
        co_await bench.wait(1ms);
        EXPECT_EQ(bench.told(), "SERVFAIL") << "one of them is a last resort";
        co_await bench.wait(5s);
        bench.told();
        answers = true;
        bench.ask({.name = "three.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, ServesWhatIsPastItsTimeWhileNobodyAnswers) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        bool answers = true;
        Server moody(scope, [&answers](const std::string& query) {
            return answers ? address_for(query) : std::vector<std::string>{};
        });
        Bench bench(scope, {moody.address()});
        bench.ask({});
        co_await bench.wait(400s);
        answers = false;
        bench.told();
        bench.ask({});
        co_await bench.wait(1700ms);
        EXPECT_EQ(bench.told(), "") << "1.8 s to get a fresh one";
        co_await bench.wait(200ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.wait(10s);
        bench.ask({});
        co_await bench.wait(2s);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        answers = true;
        co_await bench.wait(40s);
        bench.ask({});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, AsksByTcpForWhatWasCut) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(
            scope,
            [](const std::string& query) {
                return std::vector{
                    testing::answer({.question = testing::question_of(query), .id = id_of(query), .flags = 0x8380})};
            },
            [](const std::string& query) { return address_for(query); });
        Bench bench(scope, {server.address()});
        bench.ask({.name = "one.test"});
        bench.ask({.name = "two.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7 NOERROR=192.0.2.7");
        EXPECT_EQ(server.connections, 1) << "one stream for all";
        co_await bench.wait(11s);
        bench.ask({.name = "three.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR=192.0.2.7");
        EXPECT_EQ(server.connections, 2) << "an idle one is closed";
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, KeepsPrivateAddressesOfTheOutsideOut) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, [](const std::string& query) { return address_for(query, "0A000001"); });
        Bench bench(scope, {server.address()});
        bench.config_.dns.rebind_allow = testing::located({config::DnsName{"lan.test"}});
        bench.adopt();
        bench.ask({.name = "evil.test"});
        bench.ask({.name = "nas.lan.test"});
        co_await bench.wait(10ms);
        EXPECT_EQ(bench.told(), "NOERROR NOERROR=10.0.0.1");
        EXPECT_EQ(bench.forwarder.numbers().of(Event::rebind).value(), 1U);
        co_await bench.forwarder.close();
    });
}

TEST(DnsForwarder, EndsWhatIsUnderWayWithAFailure) {
    tell_story([](io::Scope& scope) -> io::Task<void> {
        Server server(scope, silence);
        Bench bench(scope, {server.address()});
        bench.ask({});
        co_await bench.forwarder.close();
        EXPECT_EQ(bench.told(), "SERVFAIL");
    });
}

}  // namespace
}  // namespace sallyport::dns
