#include "push/claims.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <map>

using namespace sallyport;
using namespace sallyport::push;
using namespace sallyport::io::testing;
using namespace std::chrono_literals;

namespace {

using HostState = HostAnswer::State;
using ClaimState = dns::Claim::State;

const IpAddress client = *IpAddress::parse("10.1.2.3");

std::shared_ptr<const Policy> prefix() {
    const std::vector<Network> networks{*Network::parse("10.100.100.0/24")};
    return std::make_shared<const Policy>(
        Policy{.vips = Vips(networks), .families = {PushFamily::courier}, .providers = true});
}

// Apple's name servers, as a table, and how often they were asked.
struct Desk {
    VirtualLoop loop;
    std::map<std::string, HostState> apple;
    std::uint32_t ttl = 60;
    int asked = 0;
    Hosts hosts{
        *loop, [this](std::string host, io::Cancellation&) -> io::Task<HostAnswer> { return answer(std::move(host)); }};
    Devices devices;
    std::shared_ptr<const Policy> policy = prefix();
    std::string told;
    CourierClaims claims{*loop, policy, hosts, devices, [this](const std::string& name) { told += name; }};
    io::Cancellation never;

    io::Task<HostAnswer> answer(std::string host) {
        ++asked;
        co_return HostAnswer{.state = apple.contains(host) ? apple[host] : HostState::absent, .ttl = ttl};
    }
    std::optional<dns::Claim> claim(std::string_view name) {
        const dns::Name wire = *dns::Name::parse(name);
        return claims.claim({.name = wire.wire(), .type = dns::type::a, .client = client});
    }
    io::Task<dns::Claim> settle(std::string_view name) { return claims.settle(*dns::Name::parse(name), client); }
    auto sleep(Duration duration) { return io::Sleep(*loop, never, loop->in(duration)); }

    void run(io::Task<void> script) {
        loop.run([](Desk& self, io::Task<void> what) -> io::Task<void> {
            co_await what;
            co_await self.claims.close();
            co_await self.hosts.close();
        }(*this, std::move(script)));
    }
};

}  // namespace

TEST(CourierClaims, AskUpstreamBeforeTheyAnswerForTheFirstTime) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        on.apple["7-courier.push.apple.com"] = HostState::exists;
        EXPECT_EQ(on.claim("7-courier.push.apple.com")->state, ClaimState::unsettled);
        const dns::Claim settled = co_await on.settle("7-courier.push.apple.com");
        EXPECT_EQ(settled.state, ClaimState::exists);
        EXPECT_EQ(settled.v4.to_string(), "10.100.100.7");
        EXPECT_EQ(settled.v6, IpAddress{}) << "NODATA, never Apple's";
        EXPECT_EQ(settled.ttl, 30U);
        EXPECT_EQ(on.claim("7-COURIER.push.apple.com")->state, ClaimState::exists);
        EXPECT_EQ((co_await on.settle("51-courier.push.apple.com")).state, ClaimState::absent);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::absent);
        EXPECT_EQ(on.asked, 2);
    }(desk));
}

TEST(CourierClaims, FollowACourierThatComesAndGoes) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        EXPECT_EQ((co_await on.settle("51-courier.push.apple.com")).state, ClaimState::absent);
        on.apple["51-courier.push.apple.com"] = HostState::exists;
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::absent) << "for a minute";
        co_await on.sleep(61s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::unsettled);
        EXPECT_EQ((co_await on.settle("51-courier.push.apple.com")).state, ClaimState::exists);
        on.apple["51-courier.push.apple.com"] = HostState::absent;
        co_await on.sleep(61s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::exists) << "asked again meanwhile";
        co_await on.sleep(1s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::absent);
    }(desk));
}

TEST(CourierClaims, HoldWhatTheyKnowForAsLongAsApplesNameServersSay) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        on.ttl = 5;
        EXPECT_EQ((co_await on.settle("51-courier.push.apple.com")).state, ClaimState::absent);
        co_await on.sleep(4s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::absent);
        co_await on.sleep(2s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::unsettled);
        on.ttl = 3600;
        EXPECT_EQ((co_await on.settle("51-courier.push.apple.com")).state, ClaimState::absent);
        co_await on.sleep(61s);
        EXPECT_EQ(on.claim("51-courier.push.apple.com")->state, ClaimState::unsettled) << "a minute is the most";
    }(desk));
}

TEST(CourierClaims, HoldOnToWhatWasKnownWhileNameServersFail) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        on.apple["7-courier.push.apple.com"] = HostState::failed;
        EXPECT_EQ((co_await on.settle("7-courier.push.apple.com")).state, ClaimState::unsettled) << "nothing is known";
        on.apple["7-courier.push.apple.com"] = HostState::exists;
        co_await on.sleep(6s);
        EXPECT_EQ((co_await on.settle("7-courier.push.apple.com")).state, ClaimState::exists);
        on.apple["7-courier.push.apple.com"] = HostState::failed;
        for (int i = 0; i < 5; ++i) {
            co_await on.sleep(10min);
            EXPECT_EQ(on.claim("7-courier.push.apple.com")->state, ClaimState::exists) << i;
        }
    }(desk));
}

TEST(CourierClaims, LeaveEveryOtherNameToTheOthers) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        for (const char* name :
             {"push.apple.com", "init.push.apple.com", "courier.push.apple.com", "7-courier2.push.apple.com",
              "7-courier.push.apple.com.evil", "example.com", ".", "7-courier.push\\.apple.com"})
            EXPECT_FALSE(on.claim(name)) << name;
        EXPECT_EQ(on.claim("api.push.apple.com")->state, ClaimState::exists);
        EXPECT_EQ(on.told, "") << "courier2 is known, though not served";
        EXPECT_FALSE(on.claim("1-courier9.push.apple.com"));
        EXPECT_FALSE(on.claim("2-courier9.push.apple.com"));
        EXPECT_EQ(on.told, "1-courier9.push.apple.com.") << "once";
        on.policy = nullptr;
        EXPECT_FALSE(on.claim("7-courier.push.apple.com"));
        co_return;
    }(desk));
}

TEST(CourierClaims, GoByAPolicyThatIsNew) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        on.apple["7-courier.push.apple.com"] = HostState::exists;
        on.apple["7-courier2.push.apple.com"] = HostState::exists;
        EXPECT_EQ((co_await on.settle("7-courier.push.apple.com")).state, ClaimState::exists);
        auto reloaded = std::make_shared<Policy>(*on.policy);
        reloaded->families = {PushFamily::courier2};
        reloaded->vips = Vips(std::vector{*Network::parse("10.9.9.0/24")});
        on.policy = reloaded;
        EXPECT_FALSE(on.claim("7-courier.push.apple.com")) << "asked upstream, as any other";
        EXPECT_EQ((co_await on.settle("7-courier2.push.apple.com")).v4.to_string(), "10.9.9.7");
    }(desk));
}

TEST(CourierClaims, RememberWhoAskedForWhat) {
    Desk desk;
    desk.run([](Desk& on) -> io::Task<void> {
        on.claim("7-courier.push.apple.com");
        EXPECT_EQ(on.devices.asked_lately(client, on.loop->wall()), (Courier{PushFamily::courier, 7}));
        EXPECT_FALSE(on.devices.asked_lately(client, on.loop->wall() + 6min));
        co_return;
    }(desk));
}

// What explanations say is what devices are told once Apple's name is known to exist.
TEST(AssumedClaims, SayOfEachNameWhatALiveOneIsTold) {
    const auto policy = prefix();
    AssumedClaims assumed(policy.get());
    AssumedClaims none(nullptr);
    const auto address = [](dns::Claims& claims, std::string_view name) {
        const dns::Name wire = *dns::Name::parse(name);
        const auto claim = claims.claim({.name = wire.wire(), .type = dns::type::a, .client = client});
        return claim ? claim->v4.to_string() : "not claimed";
    };
    EXPECT_EQ(address(assumed, "7-courier.push.apple.com"), "10.100.100.7");
    EXPECT_EQ(address(assumed, "7-courier2.push.apple.com"), "not claimed") << "a family that is not served";
    EXPECT_EQ(address(assumed, "www.apple.com"), "not claimed");
    EXPECT_NE(address(assumed, "api.push.apple.com"), "not claimed");
    EXPECT_EQ(address(none, "7-courier.push.apple.com"), "not claimed");
}
