#include "guard/kernel_bans.hpp"

#include "guard/entry.hpp"
#include "guard/guard.hpp"
#include "io/testing.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>

using namespace sallyport;
using namespace sallyport::guard;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

Network net(const char* text) { return *Network::parse(text); }
ClientKey client(std::uint32_t number) { return ClientKey(IpAddress::v4(0x0A000000U + number)); }

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
}

// The text of each run, and an nft that takes 10 ms and fails when it is told to.
struct Kernel {
    io::testing::VirtualLoop loop;
    std::vector<std::string> runs;
    std::vector<BannedClient> banned;
    std::vector<std::string> told;
    bool fails = false;
    io::Cancellation never;
    KernelBans bans{*loop,
                    {.run = [this](std::string text) { return run(std::move(text)); },
                     .all = [this] { return banned; },
                     .changed = [this](const std::string& why) { told.push_back(why); }}};

    io::Task<Result<void>> run(std::string text) {
        runs.push_back(std::move(text));
        co_await io::Sleep(*loop, never, loop->in(10ms));
        if (fails) co_return fail("nft: no");
        co_return Result<void>();
    }
    // Keeps in step while `work` goes on, and closes.
    template <class Work>
    void meanwhile(Work work) {
        loop.run([](Kernel& self, Work does) -> io::Task<void> {
            io::Scope scope(*self.loop);
            scope.spawn(self.bans.keep());
            co_await does(self);
            co_await self.bans.close();
            co_await scope.join();
        }(*this, std::move(work)));
    }
    auto pass(Duration time) { return io::Sleep(*loop, never, loop->in(time)); }
};

}  // namespace

TEST(KernelBans, AreMadeOnceKeptAndTakenAway) {
    Kernel kernel;
    kernel.banned = {{client(1), Entry::never}};
    kernel.bans.go_by({net("198.51.100.0/24")}, {net("10.0.0.0/8")});
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1s);
        EXPECT_TRUE(self.bans.in_step());
        self.bans.ban({client(2), Entry::never});
        self.bans.lift(client(1));
        co_await self.pass(1s);
        self.bans.go_by({}, {net("10.0.0.0/8")});
        co_await self.pass(1s);
    });
    ASSERT_EQ(kernel.runs.size(), 4U);
    EXPECT_THAT(kernel.runs[0], HasSubstr("198.51.100.0/24"));
    EXPECT_THAT(kernel.runs[0], HasSubstr("clients4 { 10.0.0.1 }"));
    EXPECT_THAT(kernel.runs[1], HasSubstr("delete element inet sallyport_bans clients4 { 10.0.0.1 }"));
    EXPECT_THAT(kernel.runs[1], HasSubstr("clients4 { 10.0.0.2 }"));
    EXPECT_THAT(kernel.runs[2], HasSubstr("flush set"));
    EXPECT_EQ(kernel.runs[3], kernel_rules::withdraw());
    EXPECT_THAT(kernel.told, ElementsAre(""));
}

TEST(KernelBans, WhatHappensWhileNftRunsLeavesTogether) {
    Kernel kernel;
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1s);
        for (std::uint32_t i = 0; i < 1000; ++i) {
            self.bans.ban({client(i), Entry::never});
            if (i % 10 == 0) co_await self.pass(1ms);
        }
        co_await self.pass(1s);
    });
    EXPECT_LE(kernel.runs.size(), 10U);
}

TEST(KernelBans, TheLastWordOnAClientHolds) {
    Kernel kernel;
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1s);
        self.bans.ban({client(0), Entry::never});
        co_await self.pass(1ms);
        for (const bool banned : {true, false}) {
            self.bans.ban({client(1), Entry::never});
            self.bans.lift(client(1));
            if (banned) self.bans.ban({client(1), Entry::never});
            co_await self.pass(1s);
            EXPECT_EQ(count(self.runs.back(), "10.0.0.1"), banned ? 3U : 2U) << self.runs.back();
        }
    });
}

TEST(KernelBans, AMillionIsBroughtInPartsAndWhatChangesMeanwhileComesAfter) {
    Kernel kernel;
    for (std::uint32_t i = 0; i < 3 * KernelBans::clients_a_run; ++i)
        kernel.banned.push_back({client(i), Entry::never});
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(5ms);
        self.bans.lift(client(0));
        co_await self.pass(5ms);
        EXPECT_FALSE(self.bans.in_step());
        co_await self.pass(2s);
        EXPECT_TRUE(self.bans.in_step());
    });
    ASSERT_EQ(kernel.runs.size(), 5U);
    for (const auto& run : kernel.runs) EXPECT_LE(count(run, ","), 3 * KernelBans::clients_a_run);
    EXPECT_THAT(kernel.runs[3], HasSubstr("delete element inet sallyport_bans clients4 { 10.0.0.0 }"));
}

TEST(KernelBans, AFloodOfChangesIsBounded) {
    Kernel kernel;
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1s);
        self.banned = {{client(7), Entry::never}};
        for (std::uint32_t i = 0; i <= KernelBans::most_waiting; ++i) self.bans.lift(client(i));
        co_await self.pass(1s);
    });
    ASSERT_EQ(kernel.runs.size(), 3U);
    EXPECT_THAT(kernel.runs[1], HasSubstr("delete table"));  // anew
    EXPECT_THAT(kernel.runs[1], HasSubstr("10.0.0.7"));
}

TEST(KernelBans, WhatFailsIsToldOnceAndBegunAnew) {
    Kernel kernel;
    kernel.fails = true;
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1min);
        EXPECT_FALSE(self.bans.in_step());
        EXPECT_LE(self.runs.size(), 15U);
        self.fails = false;
        self.banned = {{client(7), Entry::never}};
        co_await self.pass(10s);
        EXPECT_TRUE(self.bans.in_step());
        EXPECT_THAT(self.runs.back(), HasSubstr("delete table"));
        EXPECT_THAT(self.runs.back(), HasSubstr("10.0.0.7"));
    });
    EXPECT_THAT(kernel.told, ElementsAre("nft: no", ""));
}

TEST(KernelBans, ATableThatSomebodyFlushedIsMissedAndMadeAnew) {
    Kernel kernel;
    kernel.meanwhile([](Kernel& self) -> io::Task<void> {
        co_await self.pass(1s);
        self.fails = true;  // as the probe does now
        co_await self.pass(31s);
        self.fails = false;
        EXPECT_EQ(self.runs.back(), kernel_rules::probe());
        co_await self.pass(6s);
        EXPECT_THAT(self.runs.back(), HasSubstr("delete table"));
    });
    EXPECT_THAT(kernel.told, ElementsAre("", "nft: no", ""));
}

TEST(KernelBans, AStartLearnsWhetherItCanBe) {
    Kernel kernel;
    kernel.loop.run([](Kernel& self) -> io::Task<void> {
        self.fails = true;
        EXPECT_FALSE(co_await self.bans.create());
        self.fails = false;
        EXPECT_TRUE(co_await self.bans.create());
    }(kernel));
}

// What the guard decides reaches the kernel; what expires does so there by itself.
TEST(KernelBans, FollowTheGuard) {
    Kernel kernel;
    Guard guard(*kernel.loop, {.node = "here", .publish = [](const auto&) {}, .changed = [](const auto&) {}});
    guard.apply({.never_ban = {net("10.9.0.0/16")}});
    guard.enforce_by(&kernel.bans);
    kernel.meanwhile([&guard](Kernel& self) -> io::Task<void> {
        const auto step = [&self] { return self.pass(1s); };
        co_await step();
        EXPECT_THAT(self.runs.back(), HasSubstr("10.9.0.0/16, 127.0.0.1"));
        EXPECT_TRUE(guard.ban(net("192.0.2.7"), 1h, ""));
        co_await step();
        EXPECT_THAT(self.runs.back(), HasSubstr("192.0.2.7 timeout 3600000ms"));
        EXPECT_TRUE(guard.ban(net("198.51.100.0/24"), 1h, ""));
        co_await step();
        EXPECT_THAT(self.runs.back(), HasSubstr("banned4 { 198.51.100.0/24 }"));
        EXPECT_TRUE(guard.allow(net("192.0.2.7"), 1h, ""));
        co_await self.pass(2s);
        EXPECT_THAT(self.runs[self.runs.size() - 2], HasSubstr("allowed4 { 10.9.0.0/16, 127.0.0.1, 192.0.2.7 }"));
        EXPECT_THAT(self.runs.back(), HasSubstr("delete element inet sallyport_bans clients4 { 192.0.2.7 }"));
        guard.enforce_by(nullptr);
    });
}
