#include "egress/lookup.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::egress;
using namespace sallyport::io::testing;
using namespace std::chrono_literals;

namespace {

const IpAddress client = *IpAddress::parse("10.1.2.3");
const IpAddress source = *IpAddress::parse("192.0.2.17");

// A control loop that answers by the same source, a turn later or never, and counts.
struct Office {
    VirtualLoop loop;
    int asked = 0;
    bool silent = false;
    Lookup lookup{*loop, [this](const IpAddress&, std::function<void(const Choice&)> answered) {
                      ++asked;
                      if (silent) return;
                      loop->post([answered = std::move(answered)] {
                          Choice choice;
                          choice.sources.of(Family::v4) = source;
                          choice.why[0] = Why::hash;
                          answered(choice);
                      });
                  }};
    io::Cancellation never;
};

io::Task<void> expect_source(Office& office, std::optional<IpAddress> wanted) {
    const auto choice = co_await office.lookup.find(client);
    EXPECT_TRUE(choice);
    if (choice) EXPECT_EQ(choice->sources.of(Family::v4), wanted);
}

}  // namespace

TEST(Lookup, AsksOnceAndKnowsThen) {
    Office office;
    office.loop.run([](Office& on) -> io::Task<void> {
        on.lookup.enable(true);
        EXPECT_EQ(on.lookup.known(client, on.loop->now()), nullptr);
        for (int i = 0; i < 3; ++i) co_await expect_source(on, source);
        EXPECT_EQ(on.asked, 1);
        EXPECT_NE(on.lookup.known(client, on.loop->now()), nullptr);
        co_await io::Sleep(*on.loop, on.never, on.loop->in(Lookup::fresh_for));
        co_await expect_source(on, source);
        EXPECT_EQ(on.asked, 2) << "so that it is known who is about";
    }(office));
}

TEST(Lookup, AsksNobodyWhereThereIsNothingToGive) {
    Office office;
    office.loop.run([](Office& on) -> io::Task<void> {
        co_await expect_source(on, std::nullopt);
        EXPECT_EQ(on.asked, 0);
    }(office));
}

TEST(Lookup, ForgetsWhatIsOutOfDate) {
    Office office;
    office.loop.run([](Office& on) -> io::Task<void> {
        on.lookup.enable(true);
        co_await expect_source(on, source);
        on.lookup.forget(std::vector{source});
        co_await expect_source(on, source);
        EXPECT_EQ(on.asked, 1) << "it was about somebody else";
        on.lookup.forget(std::vector{client});
        co_await expect_source(on, source);
        on.lookup.forget({});
        co_await expect_source(on, source);
        EXPECT_EQ(on.asked, 3);
    }(office));
}

TEST(Lookup, KeepsNoAnswerThatWasOvertaken) {
    Office office;
    office.loop.run([](Office& on) -> io::Task<void> {
        on.lookup.enable(true);
        io::Scope scope(*on.loop);
        scope.spawn(expect_source(on, source));
        on.lookup.forget(std::vector{client});
        co_await scope.join();
        EXPECT_EQ(on.lookup.known(client, on.loop->now()), nullptr);
    }(office));
}

TEST(Lookup, GivesUpOnSilence) {
    Office office;
    office.silent = true;
    office.loop.run([](Office& on) -> io::Task<void> {
        on.lookup.enable(true);
        EXPECT_FALSE(co_await on.lookup.find(client));
    }(office));
}
