#include "turn/requester.hpp"

#include "turn/testing.hpp"

#include <gtest/gtest.h>

namespace sallyport::turn {
namespace {

using namespace testing;
using Kind = Requester::Answer::Kind;

// A requester at a server, over a wire that loses nothing.
struct Guest {
    Scene& scene;
    Requester requester{"alice", "secret"};
    Link link{.client = at("192.0.2.7:5000"), .local = at("198.18.0.1:3478"), .number = 0, .transport = Transport::udp};

    std::string send(Bytes request) {
        scene.server->from_client(link, true, request, scene.now);
        const auto answers = scene.world.take(link.client);
        return answers.empty() ? "" : answers.back();
    }
    Requester::Answer ask(const std::function<Bytes()>& request) {
        Requester::Answer answer{.kind = Kind::again};
        for (int tries = 0; tries < 3 && answer.kind == Kind::again; ++tries) {
            const std::string bytes = send(request());
            answer = requester.take(as_bytes(bytes));
        }
        return answer;
    }
};

TEST(Requester, AllocatesPermitsBindsAndLeaves) {
    Scene scene;
    Guest guest{scene};
    const auto allocated = guest.ask([&] { return guest.requester.allocate(); });
    EXPECT_EQ(allocated.kind, Kind::done);
    EXPECT_EQ(allocated.mapped, guest.link.client);
    ASSERT_TRUE(allocated.relayed);
    EXPECT_EQ(guest.ask([&] { return guest.requester.permit(ip("8.8.8.8")); }).kind, Kind::done);
    EXPECT_EQ(guest.ask([&] { return guest.requester.bind_channel(0x4000, at("8.8.4.4:53")); }).kind, Kind::done);
    guest.send(guest.requester.indicate(at("8.8.8.8:1"), as_bytes("data")));
    ASSERT_EQ(scene.world.sent.size(), 1U);
    EXPECT_EQ(scene.world.sent[0], (ToPeer{*allocated.relayed, at("8.8.8.8:1"), "data"}));
    EXPECT_EQ(guest.ask([&] { return guest.requester.refresh(0); }).kind, Kind::done);
    EXPECT_EQ(scene.server->allocations(), 0U);
}

TEST(Requester, AsksAgainWhenItsNonceIsOld) {
    Scene scene;
    Guest guest{scene};
    guest.ask([&] { return guest.requester.allocate(); });
    scene.pass(400s);
    scene.now.wall += 24h;
    EXPECT_EQ(guest.ask([&] { return guest.requester.refresh(600); }).kind, Kind::done);
}

TEST(Requester, TellsWhyItWasRefused) {
    Scene scene;
    Guest guest{scene, Requester("alice", "wrong")};
    const auto refused = guest.ask([&] { return guest.requester.allocate(); });
    EXPECT_EQ(refused.kind, Kind::refused);
    EXPECT_EQ(refused.code, 401);
    Guest right{scene};
    right.ask([&] { return right.requester.allocate(); });
    EXPECT_EQ(right.ask([&] { return right.requester.permit(ip("10.0.0.1")); }).code, 403);
}

TEST(Requester, PassesOverWhatIsNoAnswerToItsRequest) {
    Scene scene;
    Guest guest{scene};
    const std::string earlier = guest.send(guest.requester.binding());
    guest.requester.binding();
    for (const std::string& bytes : {earlier, std::string(), std::string("no message")})
        EXPECT_EQ(guest.requester.take(as_bytes(bytes)).kind, Kind::stray);
}

}  // namespace
}  // namespace sallyport::turn
