#include "io/hang_up.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>

namespace sallyport::io {
namespace {

using testing::socket_pair;
using testing::StreamPair;
using testing::VirtualLoop;

// Lets the loop do what was posted.
Task<void> one_turn(Loop& loop) { co_await Yield{loop}; }

Io read_at(int fd) {
    char byte = 0;
    const ssize_t count = ::recv(fd, &byte, 1, MSG_DONTWAIT);
    return count == 0 ? Io::eof : count > 0 ? Io::ok : Io::again;
}

struct Scene {
    VirtualLoop loop;
    Cancellation cancellation;
    StreamPair one{*loop, cancellation};
    StreamPair other{*loop, cancellation};
    std::unique_ptr<const HangUp> hang_up = std::make_unique<HangUp>(*loop, one.near, other.near);
    std::function<void()> call = hang_up->by_any_thread();
};

TEST(HangUp, EndsBothStreamsFromTheirOwnLoop) {
    Scene scene;
    scene.call();
    EXPECT_EQ(read_at(scene.one.far.fd()), Io::again);
    scene.loop.run(one_turn(*scene.loop));
    EXPECT_EQ(read_at(scene.one.far.fd()), Io::eof);
    EXPECT_EQ(read_at(scene.other.far.fd()), Io::eof);
}

TEST(HangUp, TouchesNoDescriptorThatHasBecomeSomebodyElses) {
    Scene scene;
    const int before = scene.one.near.fd();
    scene.one.near.reset();
    const auto [mine, peer] = socket_pair();
    ASSERT_TRUE(mine.get() == before || peer.get() == before);
    scene.call();
    scene.loop.run(one_turn(*scene.loop));
    EXPECT_EQ(read_at(mine.get()), Io::again);
    EXPECT_EQ(read_at(scene.other.far.fd()), Io::eof);
}

TEST(HangUp, IsNothingOnceItIsGone) {
    Scene scene;
    scene.call();
    scene.hang_up = nullptr;
    scene.loop.run(one_turn(*scene.loop));
    EXPECT_EQ(read_at(scene.one.far.fd()), Io::again);
}

}  // namespace
}  // namespace sallyport::io
