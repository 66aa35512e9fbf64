#include "net/names.hpp"

#include "io/testing.hpp"
#include "io/worker.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace sallyport::net;
using namespace std::chrono_literals;
using io::testing::RealLoop;
using io::testing::VirtualLoop;

namespace {

std::vector<IpAddress> ips(const std::vector<const char*>& texts) {
    std::vector<IpAddress> out;
    out.reserve(texts.size());
    for (const char* text : texts) out.push_back(*IpAddress::parse(text));
    return out;
}

std::string joined(std::span<const IpAddress> addresses) {
    std::string out;
    for (const IpAddress& address : addresses) out += (out.empty() ? "" : " ") + address.to_string();
    return out;
}

// A name server of the test's own, on virtual time, and what the names said. A name that it does not know fails.
struct World {
    Loop& loop;
    std::map<std::string, std::vector<IpAddress>> zone{};
    Duration takes{0};   // for one answer
    std::string asked{};   // in order
    std::string events{};
    std::shared_ptr<const NameTable> published{};
    int tables = 0;
    Names names{loop, options()};

    Names::Options options() {
        return {.resolve = [this](std::string host, Cancellation& by) { return answer(std::move(host), by); },
                .changed =
                    [this](std::shared_ptr<const NameTable> table) {
                        ++tables;
                        published = std::move(table);
                    },
                .event =
                    [this](const NameEvent& event) {
                        events += event.host + (event.error.empty() ? " resolves" : " fails") +
                                  (event.kept ? ", kept;" : ";");
                    }};
    }

    Task<Addresses> answer(std::string host, Cancellation& cancellation) {
        asked += host + ' ';
        if (takes != 0s) {
            const Wait waited = co_await Sleep(loop, cancellation, loop.in(takes));
            if (waited == Wait::cancelled) co_return fail("cancelled");
        }
        const auto found = zone.find(host);
        if (found == zone.end()) co_return fail("can't resolve " + host + ": unknown");
        co_return found->second;
    }

    // What is asked while this time passes, begun between two ticks of the timers.
    Task<std::string> asked_within(Duration time) {
        asked.clear();
        Cancellation never;
        co_await Sleep(loop, never, loop.in(time));
        co_return asked;
    }

    std::string known(std::string_view host) const { return published ? joined(published->find(host)) : "no table"; }
};

void run(Task<void> (*story)(World&)) {
    VirtualLoop loop;
    World world{.loop = *loop};
    loop.run([](World& in, Task<void> (*told)(World&)) -> Task<void> {
        co_await told(in);
        co_await in.names.close();
    }(world, story));
}

}  // namespace

TEST(Names, AreResolvedWhenTheyAreWatchedAndPublished) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1", "2001:db8::1"})}, {"b", ips({"192.0.2.2"})}};
        world.names.watch({"b", "a", "b"});
        co_await world.names.first_answers(Deadline::none);
        EXPECT_EQ(world.asked, "a b ");
        EXPECT_EQ(world.known("a"), "192.0.2.1 2001:db8::1");
        EXPECT_EQ(world.known("b"), "192.0.2.2");
        EXPECT_EQ(world.known("c"), "");
        EXPECT_EQ(world.published, world.names.table());
        EXPECT_EQ(world.events, "") << "what goes well from the start is not worth a line";
    });
}

TEST(Names, AreAskedAgainEveryMinuteAndFailingOnesEveryFiveSeconds) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1"})}};
        world.names.watch({"a", "x"});
        co_await world.names.first_answers(Deadline::none);
        EXPECT_EQ(co_await world.asked_within(4s), "");
        EXPECT_EQ(co_await world.asked_within(2s), "x ");
        EXPECT_EQ(co_await world.asked_within(53s), "x x x x x x x x x x ");
        EXPECT_EQ(co_await world.asked_within(2s), "a x ");
        EXPECT_EQ(world.tables, 1);
    });
}

TEST(Names, KeepTheLastGoodAnswerForAsLongAsTheNameIsWatched) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1"})}};
        world.names.watch({"a"});
        co_await world.names.first_answers(Deadline::none);
        world.zone.clear();
        co_await world.asked_within(24h);
        EXPECT_EQ(world.known("a"), "192.0.2.1");
        EXPECT_EQ(world.events, "a fails, kept;") << "once per change, however often it was asked";
        EXPECT_TRUE(world.names.unresolved().empty());

        world.zone = {{"a", ips({"192.0.2.9"})}};
        co_await world.asked_within(6s);
        EXPECT_EQ(world.known("a"), "192.0.2.9");
        EXPECT_EQ(world.events, "a fails, kept;a resolves;");

        world.names.watch({});
        EXPECT_EQ(world.known("a"), "");
        world.zone.clear();
        world.names.watch({"a"});
        co_await world.asked_within(1s);
        EXPECT_EQ(world.known("a"), "") << "a name that was let go is forgotten";
    });
}

TEST(Names, ThatNeverResolvedAreReportedOnce) {
    run([](World& world) -> Task<void> {
        world.zone = {{"empty", {}}};
        world.names.watch({"empty", "x"});
        co_await world.asked_within(1min);
        EXPECT_EQ(world.events, "empty fails;x fails;");
        EXPECT_EQ(world.names.unresolved(), (std::vector<std::string>{"empty", "x"}));
        EXPECT_EQ(world.tables, 0);
    });
}

TEST(Names, ANewTableIsMadeOnlyWhereAddressesChanged) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1", "192.0.2.2"})}};
        world.names.watch({"a"});
        co_await world.names.first_answers(Deadline::none);
        const auto first = world.published;
        world.zone = {{"a", ips({"192.0.2.2", "192.0.2.1"})}};  // dealt out in turns
        co_await world.asked_within(61s);
        EXPECT_EQ(world.published, first);
        world.zone = {{"a", ips({"192.0.2.2", "192.0.2.3"})}};
        co_await world.asked_within(61s);
        EXPECT_EQ(world.known("a"), "192.0.2.2 192.0.2.3");
        EXPECT_EQ(joined(first->find("a")), "192.0.2.1 192.0.2.2") << "a table that is in use never changes";
        EXPECT_EQ(world.tables, 2);
    });
}

TEST(Names, WatchingAgainAsksOnlyForWhatIsNew) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1"})}, {"b", ips({"192.0.2.2"})}, {"c", ips({"192.0.2.3"})}};
        world.names.watch({"a", "b"});
        co_await world.names.first_answers(Deadline::none);
        world.asked.clear();
        world.names.watch({"b", "c"});
        co_await world.names.first_answers(Deadline::none);
        EXPECT_EQ(world.asked, "c ");
        EXPECT_EQ(world.known("a") + '|' + world.known("b") + '|' + world.known("c"), "|192.0.2.2|192.0.2.3");
    });
}

TEST(Names, AnAnswerForANameThatIsNoLongerWatchedIsDropped) {
    run([](World& world) -> Task<void> {
        world.zone = {{"a", ips({"192.0.2.1"})}};
        world.takes = 3s;
        world.names.watch({"a"});
        co_await world.asked_within(1s);
        world.names.watch({});
        co_await world.asked_within(10s);
        EXPECT_EQ(world.tables, 0);
        EXPECT_EQ(world.events, "");
    });
}

TEST(Names, OneNameIsAskedForAtATime) {
    run([](World& world) -> Task<void> {
        world.takes = 3s;
        world.names.watch({"x", "y"});
        EXPECT_EQ(co_await world.asked_within(2s), "x ");
        EXPECT_EQ(co_await world.asked_within(2s), "y ");
    });
}

TEST(Names, WaitingForFirstAnswersIsBounded) {
    run([](World& world) -> Task<void> {
        world.takes = 30s;
        world.names.watch({"x", "y"});
        const SteadyTime before = world.loop.now();
        co_await world.names.first_answers(world.loop.in(10s));
        EXPECT_GE(world.loop.now() - before, 10s);
        EXPECT_LT(world.loop.now() - before, 11s);
        co_await world.names.first_answers(Deadline::none);
        EXPECT_GE(world.loop.now() - before, 60s);
        EXPECT_LT(world.loop.now() - before, 61s);
        EXPECT_EQ(world.names.unresolved(), (std::vector<std::string>{"x", "y"})) << "a failure is an answer too";
    });
}

TEST(Names, WaitingForFirstAnswersEndsWithNothingToWaitFor) {
    run([](World& world) -> Task<void> {
        co_await world.names.first_answers(Deadline::none);
        world.takes = 1h;
        world.names.watch({"x"});
        Scope scope(world.loop);
        const SteadyTime before = world.loop.now();
        scope.spawn(world.names.first_answers(Deadline::none));
        world.names.watch({});
        co_await scope.join();
        EXPECT_EQ(world.loop.now(), before);

        world.names.watch({"y"});
        scope.spawn(world.names.first_answers(Deadline::none));
        EXPECT_EQ(co_await world.asked_within(1s), "y ");
        co_await world.names.close();
        co_await scope.join();
        EXPECT_LT(world.loop.now(), before + 2s);
        EXPECT_EQ(world.events, "") << "a look-up that was broken off has not failed";
    });
}

TEST(Names, OnlySoManyAddressesOfOneNameAreUsed) {
    run([](World& world) -> Task<void> {
        for (std::uint32_t i = 0; i < 1000; ++i) world.zone["a"].push_back(IpAddress::v4(0x0A000000U + i));
        world.names.watch({"a"});
        co_await world.names.first_answers(Deadline::none);
        EXPECT_EQ(world.published->find("a").size(), Names::most_addresses);
        EXPECT_EQ(world.published->find("a").front().to_string(), "10.0.0.0");
    });
}

// Literals and impossible names: the system answers these without asking any name server.
TEST(ResolveBySystem, AnswersOrSaysWhatWentWrong) {
    EXPECT_EQ(joined(*resolve_by_system("127.0.0.1")), "127.0.0.1");
    EXPECT_EQ(joined(*resolve_by_system("2001:db8::1")), "2001:db8::1");
    const auto impossible =
        resolve_by_system(std::string(64, 'a'));  // a label has at most 63 octets: RFC 1035 section 2.3.4
    ASSERT_FALSE(impossible);
    EXPECT_TRUE(impossible.error().message.starts_with("can't resolve " + std::string(64, 'a') + ": "))
        << impossible.error().message;
}

TEST(ResolveOn, TheWorkerAnswersOnTheLoop) {
    RealLoop loop;
    Worker worker(1);
    loop.run([](Loop& on, Worker& by) -> Task<void> {
        Cancellation cancellation;
        const auto answer = co_await resolve_on(by, on, cancellation, "127.0.0.1");
        EXPECT_EQ(joined(answer.value()), "127.0.0.1");
        by.stop();
        const auto refused = co_await resolve_on(by, on, cancellation, "127.0.0.1");
        EXPECT_FALSE(refused);
    }(*loop, worker));
}
