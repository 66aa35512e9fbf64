#include "listeners/udp_listeners.hpp"

#include "io/sockets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sallyport::listeners {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::ListenAddress local(std::uint16_t port) { return {.address = {IpAddress::v4(0x7F000001), port}}; }

// A free port, found by binding it and letting go.
std::uint16_t free_port() { return io::local_address(io::bind_udp({IpAddress::v4(0x7F000001), 0}, {})->get()).port; }

struct Loops {
    std::vector<std::string> told;
    std::vector<io::Fd> sockets;
    UdpListeners listeners{
        2,
        {.added =
             [this](std::size_t loop, const UdpListener& one, io::Fd fd) {
                 told.push_back("+" + std::to_string(loop) + one.claim.owner);
                 sockets.push_back(std::move(fd));
             },
         .changed = [this](std::size_t loop,
                           const UdpListener& one) { told.push_back("=" + std::to_string(loop) + one.claim.owner); },
         .removed = [this](std::size_t loop, const UdpListener&) { told.push_back("-" + std::to_string(loop)); }}};

    std::vector<std::string> apply(const std::vector<UdpClaim>& wanted) {
        auto change = listeners.prepare(wanted);
        if (!change) return {change.error().message};
        listeners.apply(std::move(*change));
        return std::exchange(told, {});
    }
};

TEST(UdpListeners, GiveEachLoopASocketOnTheSameAddress) {
    Loops loops;
    const auto address = local(free_port());
    EXPECT_THAT(loops.apply({{address, "turn.udp", 1}}), ElementsAre("+0turn.udp", "+1turn.udp"));
    for (const io::Fd& socket : loops.sockets) EXPECT_EQ(io::local_address(socket.get()), address.address);
}

TEST(UdpListeners, TouchNothingThatStays) {
    Loops loops;
    const UdpClaim first{local(free_port()), "turn.udp", 1};
    loops.apply({first});
    EXPECT_THAT(loops.apply({first}), IsEmpty());
    UdpClaim other = first;
    other.owner = "stun.listen";
    EXPECT_THAT(loops.apply({other}), ElementsAre("=0stun.listen", "=1stun.listen"));
    EXPECT_THAT(loops.apply({}), ElementsAre("-0", "-1"));
    EXPECT_THAT(loops.listeners.bound(), IsEmpty());
}

TEST(UdpListeners, LeaveAnOpenAddressToItsHandler) {
    Loops loops;
    const UdpClaim first{local(free_port()), "turn.udp", 1, 1};
    loops.apply({first});
    const UdpClaim other{first.address, "dns.listen", 0, 2};
    EXPECT_THAT(loops.apply({other}), ElementsAre(HasSubstr("is still open for turn.udp")));
    EXPECT_THAT(loops.listeners.bound(), ::testing::SizeIs(1));
    loops.apply({});
    loops.sockets.clear();
    EXPECT_THAT(loops.apply({other}), ElementsAre("+0dns.listen", "+1dns.listen"));
}

TEST(UdpListeners, TakeAnAddressOfAPortBesideAllAddressesOfIt) {
    Loops loops;
    const std::uint16_t port = free_port();
    const config::ListenAddress all{.address = {IpAddress::v6({}), port}, .dual_stack = true};
    EXPECT_THAT(loops.apply({{all, "turn.udp", 1}, {local(port), "stun.listen", 1}}),
                ElementsAre("+0turn.udp", "+1turn.udp", "+0stun.listen", "+1stun.listen"));
    EXPECT_THAT(loops.apply({{all, "turn.udp", 1}}), ElementsAre("-0", "-1"));
}

TEST(UdpListeners, ChangeNothingWhenAnAddressIsTaken) {
    Loops loops;
    const auto held = io::bind_udp({IpAddress::v4(0x7F000001), 0}, {});
    const UdpClaim taken{local(io::local_address(held->get()).port), "turn.udp", 1};
    const UdpClaim good{local(free_port()), "stun.listen", 0};
    EXPECT_THAT(loops.apply({good, taken}), ElementsAre(HasSubstr("turn.udp: can't listen on 127.0.0.1:")));
    EXPECT_THAT(loops.listeners.bound(), IsEmpty());
    EXPECT_THAT(loops.apply({good}), ElementsAre("+0stun.listen", "+1stun.listen"));
}

}  // namespace
}  // namespace sallyport::listeners
