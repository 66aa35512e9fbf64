#include "gate/targets/connect_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using namespace std::chrono_literals;
using namespace sallyport::gate::testing;
using telemetry::Reason;
using ::testing::ElementsAre;

namespace {

std::string drained(const io::Fd& end) {
    char room[4096];
    const ssize_t size = ::recv(end.get(), room, sizeof room, 0);
    return size > 0 ? std::string(room, static_cast<std::size_t>(size)) : "";
}

// A letter a target: a answers, r refuses, s is silent, n has no route.
void behave(Hall& hall, std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const auto behavior = letters[i] == 'a'   ? ScriptedTargets::answers
                              : letters[i] == 'r' ? ScriptedTargets::refuses
                              : letters[i] == 's' ? ScriptedTargets::silent
                                                  : ScriptedTargets::unreachable;
        hall.at.targets.behaves["10.0.0." + std::to_string(i + 1) + ":80"] = behavior;
    }
}

}  // namespace

TEST(TargetSearch, FindsTheFirstThatAnswers) {
    struct Case {
        const char* targets;
        std::string found;
        std::size_t dialed;
        const char* conditions;  // afterwards
        Duration took;
    };
    const Case cases[] = {
        {"aaa", "10.0.0.1:80", 1, "uuu", 0s},      {"raa", "10.0.0.2:80", 2, "fuu", 0s},
        {"rna", "10.0.0.3:80", 3, "ffu", 0s},      {"saa", "10.0.0.2:80", 2, "fuu", 5s},
        {"rrr", "! target.refused", 3, "fff", 0s}, {"rrn", "! target.unreachable", 3, "fff", 0s},
        {"nsr", "! target.refused", 3, "fff", 5s}, {"rns", "! target.timeout", 3, "fff", 5s},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.targets);
        Hall hall;
        hall.use(service(three));
        behave(hall, c.targets);
        hall.at.run([](Hall& in, const Case& how) -> io::Task<void> {
            Guest guest(in);
            TargetSearch search = guest.search(in);
            const SteadyTime before = in.at.loop->now();
            Connected connected = co_await search.next(Reuse::any);
            EXPECT_EQ(say(connected), how.found);
            EXPECT_EQ(in.at.targets.dialed.size(), how.dialed);
            EXPECT_FALSE(search.reused());
            EXPECT_EQ(search.more(), how.dialed < 3);
            EXPECT_GE(in.at.loop->now() - before, how.took);
            EXPECT_LT(in.at.loop->now() - before, how.took + 50ms);
            EXPECT_EQ(in.active(), connected ? 1U : 0U) << "who failed holds no place";
            for (std::size_t i = 0; i < 3; ++i)
                EXPECT_EQ(name(in.state(i).condition()).front(), how.conditions[i]) << i;
            if (!connected) EXPECT_EQ(connected.error().target, "10.0.0.3:80") << "the last one tried";
            connected = std::unexpected(ConnectFailure{});
            EXPECT_EQ(in.active(), 0U);
        }(hall, c));
    }
}

TEST(TargetSearch, GoesOnToTheNextWhenCalledAgain) {
    Hall hall;
    hall.use(service(three));
    behave(hall, "ara");
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        TargetSearch search = guest.search(in);
        EXPECT_EQ(say(co_await search.next(Reuse::none)), "10.0.0.1:80");
        EXPECT_TRUE(search.more());
        EXPECT_EQ(say(co_await search.next(Reuse::none)), "10.0.0.3:80");
        EXPECT_FALSE(search.more());
        const Connected none = co_await search.next(Reuse::any);
        EXPECT_EQ(say(none), "! target.down");
        EXPECT_EQ(none.error().target, "") << "there was none to try";
    }(hall));
}

TEST(TargetSearch, WithNothingToTryTheServiceIsDown) {
    Hall hall;
    hall.use(service(three));
    hall.state(0).set(Condition::down, Reason::target_refused, {});
    hall.state(1).wish(Wish::drain);
    hall.state(2).wish(Wish::maintenance);
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        TargetSearch search = guest.search(in);
        EXPECT_FALSE(search.more());
        const Connected none = co_await search.next(Reuse::any);
        EXPECT_EQ(say(none), "! target.down");
        EXPECT_EQ(none.error().target, "");
    }(hall));
    EXPECT_TRUE(hall.at.targets.dialed.empty());
}

TEST(TargetSearch, RoundRobinCountsTheQuestions) {
    Hall hall;
    hall.use(service(three, "plain_port = 80\nbalance = \"round_robin\""));
    hall.at.run([](Hall& in) -> io::Task<void> {
        for (int i = 0; i < 4; ++i) {
            Guest guest(in);
            TargetSearch search = guest.search(in);
            (void)co_await search.next(Reuse::none);
        }
    }(hall));
    EXPECT_THAT(hall.at.targets.addresses(), ElementsAre("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.1:80"));
}

TEST(TargetSearch, AKeptConnectionIsFollowedByANewOneToTheSameTarget) {
    Hall hall;
    hall.use(service("\"10.0.0.1\", \"10.0.0.2\""));
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        {
            TargetSearch search = guest.search(in);
            in.at.gate.kept().put(std::move(*co_await search.next(Reuse::any)));
            in.at.gate.kept().put(std::move(*co_await search.next(Reuse::any)));
        }
        {
            TargetSearch another = guest.search(in);
            in.at.gate.kept().put(std::move(*co_await another.next(Reuse::none)));
        }
        EXPECT_EQ(in.at.gate.kept().size(), 3U);
        in.at.targets.dialed.clear();
        TargetSearch search = guest.search(in);
        const Connected first = co_await search.next(Reuse::any);
        EXPECT_EQ(say(first), "10.0.0.1:80");
        EXPECT_TRUE(search.reused());
        EXPECT_TRUE(search.more());
        EXPECT_TRUE(in.at.targets.dialed.empty());
        const Connected second = co_await search.next(Reuse::any);
        EXPECT_EQ(say(second), "10.0.0.1:80");
        EXPECT_FALSE(search.reused());
        EXPECT_THAT(in.at.targets.addresses(), ElementsAre("10.0.0.1:80"));
        const Connected third = co_await search.next(Reuse::any);
        EXPECT_EQ(say(third), "10.0.0.2:80");
        EXPECT_TRUE(search.reused());
        const Connected fourth = co_await search.next(Reuse::any);
        EXPECT_EQ(say(fourth), "10.0.0.2:80");
        EXPECT_FALSE(search.reused());
        EXPECT_FALSE(search.more());
        EXPECT_EQ(in.at.gate.kept().size(), 1U) << "where one was of no use, its like is not tried";
        EXPECT_EQ(in.active(), 5U);
    }(hall));
    EXPECT_EQ(hall.active(), 0U);
}

TEST(TargetSearch, WhatMayBeReusedDependsOnTheRequestAndTheService) {
    struct Case {
        const char* what;
        const char* settings;
        Reuse reuse;
        Duration waited;
        bool reused;
    };
    const Case cases[] = {
        {"any", "plain_port = 80", Reuse::any, 10s, true},
        {"any, at once", "plain_port = 80", Reuse::any, 0s, true},
        {"fresh, at once", "plain_port = 80", Reuse::fresh, 0s, true},
        {"fresh, a moment ago", "plain_port = 80", Reuse::fresh, 900ms, true},
        {"fresh, but it has waited", "plain_port = 80", Reuse::fresh, 1100ms, false},
        {"none", "plain_port = 80", Reuse::none, 0s, false},
        {"the target knows the client", "plain_port = 80\nproxy_protocol = \"v1\"", Reuse::any, 0s, false},
        {"the places are counted", "plain_port = 80\nmax_connections = 10", Reuse::any, 0s, false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        Hall hall;
        hall.use(service("\"10.0.0.1\"", c.settings));
        hall.at.run([](Hall& in, const Case& how) -> io::Task<void> {
            Guest guest(in);
            TargetSearch before = guest.search(in);
            in.at.gate.kept().put(std::move(*co_await before.next(Reuse::none)));
            io::Cancellation never;
            co_await io::Sleep(*in.at.loop, never, in.at.loop->in(how.waited));
            TargetSearch search = guest.search(in);
            EXPECT_EQ(say(co_await search.next(how.reuse)), "10.0.0.1:80");
            EXPECT_EQ(search.reused(), how.reused);
        }(hall, c));
    }
}

TEST(TargetSearch, AFullServiceIsRefusedWithoutATry) {
    Hall hall;
    hall.use(service(three, "plain_port = 80\nmax_connections = 2"));
    behave(hall, "raa");
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        TargetSearch search = guest.search(in);
        Connected first = co_await search.next(Reuse::none);
        EXPECT_EQ(say(first), "10.0.0.2:80");
        EXPECT_EQ(in.places(), 1U) << "the refused try gave its place back";
        TargetSearch other = guest.search(in);
        const Connected second = co_await other.next(Reuse::none);
        EXPECT_EQ(say(second), "10.0.0.2:80");
        in.at.targets.dialed.clear();
        TargetSearch late = guest.search(in);
        EXPECT_EQ(say(co_await late.next(Reuse::none)), "! limit.service");
        EXPECT_TRUE(late.more()) << "no other target has a place to give";
        EXPECT_TRUE(in.at.targets.dialed.empty());
        EXPECT_EQ(in.state(1).condition(), Condition::up) << "no fault of the target";
        first = std::unexpected(ConnectFailure{});
        TargetSearch again = guest.search(in);
        EXPECT_EQ(say(co_await again.next(Reuse::none)), "10.0.0.2:80");
    }(hall));
    EXPECT_EQ(hall.places(), 0U);
    EXPECT_EQ(hall.active(), 0U);
}

TEST(TargetSearch, ATargetByNameIsRacedByItsAddresses) {
    Hall hall;
    hall.use(service("\"pbx.example.net\", \"10.0.0.2\""));
    hall.at.gate.adopt(std::make_shared<const net::NameTable>(
        net::NameTable{{{"pbx.example.net", {*IpAddress::parse("10.0.0.7"), *IpAddress::parse("10.0.0.8")}}}}));
    hall.at.targets.behaves["10.0.0.7:80"] = ScriptedTargets::refuses;
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        TargetSearch search = guest.search(in);
        EXPECT_EQ(say(co_await search.next(Reuse::none)), "pbx.example.net:80");
        EXPECT_EQ(in.state(0).condition(), Condition::up) << "one of its addresses is enough";
        in.at.gate.adopt(std::make_shared<const net::NameTable>());
        TargetSearch later = guest.search(in);
        EXPECT_EQ(say(co_await later.next(Reuse::none)), "10.0.0.2:80");
        EXPECT_EQ(in.state(0).condition(), Condition::failing);
        EXPECT_EQ(in.state(0).why(), Reason::target_unresolved);
    }(hall));
    EXPECT_THAT(hall.at.targets.addresses(), ElementsAre("10.0.0.7:80", "10.0.0.8:80", "10.0.0.2:80"));
}

TEST(TargetSearch, ASessionThatIsToldToEndSaysWhy) {
    for (const Reason reason : {Reason::draining, Reason::service_removed, Reason::killed}) {
        SCOPED_TRACE(code(reason));
        Hall hall;
        hall.use(service(three));
        behave(hall, "saa");
        hall.at.run([](Hall& in, Reason why) -> io::Task<void> {
            Guest guest(in);
            io::Scope scope(*in.at.loop);
            scope.spawn([](Hall& of, Session& session, Reason because) -> io::Task<void> {
                io::Cancellation never;
                co_await io::Sleep(*of.at.loop, never, of.at.loop->in(1s));
                session.end(because);
            }(in, guest.session, why));
            TargetSearch search = guest.search(in);
            EXPECT_EQ(say(co_await search.next(Reuse::any)), "! " + std::string(code(why)));
            EXPECT_EQ(in.at.targets.dialed.size(), 1U) << "no other target is tried";
            EXPECT_EQ(in.state(0).condition(), Condition::up) << "no fault of the target";
            EXPECT_EQ(in.active(), 0U);
            co_await scope.join();
        }(hall, reason));
    }
}

TEST(TargetSearch, TellsTheTargetWhoAsks) {
    Hall hall;
    hall.use(service("\"10.0.0.1\"", "plain_port = 80\nproxy_protocol = \"v1\""));
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        guest.session.told_own = *SocketAddress::parse("198.51.100.2:443");
        TargetSearch search = guest.search(in);
        const Connected connected = co_await search.next(Reuse::any);
        EXPECT_EQ(say(connected), "10.0.0.1:80");
        EXPECT_EQ(drained(in.ends.at(0)), "PROXY TCP4 192.0.2.1 198.51.100.2 4000 443\r\n");
    }(hall));
}

TEST(TargetSearch, NotesHowLongAConnectTook) {
    Hall hall;
    hall.use(service("\"pbx.example.net\""));
    hall.at.gate.adopt(std::make_shared<const net::NameTable>(
        net::NameTable{{{"pbx.example.net", {*IpAddress::parse("10.0.0.7"), *IpAddress::parse("10.0.0.8")}}}}));
    hall.at.targets.behaves["10.0.0.7:80"] = ScriptedTargets::silent;
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        TargetSearch search = guest.search(in);
        EXPECT_EQ(say(co_await search.next(Reuse::any)), "pbx.example.net:80");
        EXPECT_GE(in.state(0).latency(), net::attempt_delay);
        EXPECT_LT(in.state(0).latency(), 300ms);
    }(hall));
}

// The snapshot may be replaced while the search waits.
TEST(TargetSearch, GoesByItsSnapshotOverAReload) {
    Hall hall;
    hall.use(service(three));
    behave(hall, "saa");
    hall.at.run([](Hall& in) -> io::Task<void> {
        Guest guest(in);
        std::optional<TargetSearch> search(guest.search(in));
        io::Scope scope(*in.at.loop);
        scope.spawn([](Hall& of) -> io::Task<void> {
            io::Cancellation never;
            co_await io::Sleep(*of.at.loop, never, of.at.loop->in(1s));
            of.use("[[service]]\nname = \"c.example.com\"\nprotocol = \"http\"\ntarget = [\"builtin:welcome\"]\n");
        }(in));
        EXPECT_EQ(say(co_await search->next(Reuse::any)), "10.0.0.2:80");
        co_await scope.join();
    }(hall));
}

TEST(PlanFor, NamesTheAddressesToRace) {
    struct Case {
        const char* target;
        const char* source;
        std::vector<std::string> addresses;
    };
    const Case cases[] = {
        {"10.0.0.1", "", {"10.0.0.1:80"}},         {"2001:db8::1", "", {"[2001:db8::1]:80"}},
        {"10.0.0.1", "10.9.9.9", {"10.0.0.1:80"}}, {"pbx.example.net", "", {"10.0.0.7:80", "[2001:db8::7]:80"}},
        {"unknown.example.net", "", {}},
    };
    const net::NameTable names{
        {{"pbx.example.net", {*IpAddress::parse("10.0.0.7"), *IpAddress::parse("2001:db8::7")}}}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.target);
        const auto address = IpAddress::parse(c.target);
        const config::Target target{.kind = address ? config::Target::Kind::address : config::Target::Kind::host,
                                    .address = address.value_or(IpAddress()),
                                    .text = c.target};
        config::Service settings;
        if (*c.source != '\0') settings.source = {*IpAddress::parse(c.source), {}};
        const net::DialPlan plan = plan_for(settings, target, 80, &names);
        std::vector<std::string> said;
        for (const SocketAddress& to : plan.addresses) said.push_back(to.to_string());
        EXPECT_EQ(said, c.addresses);
        EXPECT_EQ(plan.source ? plan.source->to_string() : "", c.source);
        if (!address) EXPECT_TRUE(plan_for(settings, target, 80, nullptr).addresses.empty());
    }
}

TEST(ReasonOf, SaysWhatARecordSays) {
    EXPECT_EQ(reason_of(io::ConnectFailure::refused), Reason::target_refused);
    EXPECT_EQ(reason_of(io::ConnectFailure::timeout), Reason::target_timeout);
    EXPECT_EQ(reason_of(io::ConnectFailure::unreachable), Reason::target_unreachable);
    EXPECT_EQ(reason_of(io::ConnectFailure::cancelled), Reason::killed);
    EXPECT_EQ(reason_of(io::ConnectFailure::local), Reason::limit_descriptors);
}
