#include "listeners/loop_listeners.hpp"

#include "io/testing.hpp"

#include <netinet/in.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace sallyport::listeners;
using namespace std::chrono_literals;
using io::testing::open_descriptors;
using io::testing::VirtualLoop;

namespace {

// What accept4() says, one after the other: 0 is a connection, anything else an errno; at the end EAGAIN.
std::deque<int> queue;  // a replaced system call has no place for a context
int accept_calls = 0;

int scripted_accept4(int, sockaddr* peer, socklen_t* size, int flags) {
    ++accept_calls;
    const int next = queue.empty() ? EAGAIN : queue.front();
    if (!queue.empty()) queue.pop_front();
    if (next != 0) {
        errno = next;
        return -1;
    }
    sockaddr_storage storage{};
    *size = SocketAddress{IpAddress::v4(0xC0000207), 40000}.to_sockaddr(storage);
    std::memcpy(peer, &storage, *size);
    return ::socket(AF_INET, SOCK_STREAM | flags, 0);
}

constexpr SystemCalls scripted{.accept4 = scripted_accept4};

Fd listening() { return *listen_tcp({IpAddress::v4(INADDR_LOOPBACK), 0}, {}); }

struct World {
    Loop& loop;
    bool room = true;
    unsigned accepted = 0;
    std::string last{};
    std::vector<std::string> troubles{};
    LoopListeners listeners{loop, hooks()};

    Hooks hooks() {
        return {.accepted =
                    [this](const ListenerHandle& listener, Accepted&& connection) {
                        ++accepted;
                        last = listener->owner + " for " + connection.peer.to_string();
                    },
                .capacity = [this] { return room; },
                .trouble = [this](const Listener&, const std::string& what) { troubles.push_back(what); }};
    }
    void add(std::uint64_t id) { listeners.add({.id = id, .address = ":80", .owner = "listen.http"}, listening()); }
    Task<void> pass(Duration time) {
        Cancellation never;
        co_await Sleep(loop, never, loop.in(time));
    }
};

void run(std::deque<int> accepts, Task<void> (*story)(World&)) {
    queue = std::move(accepts);
    accept_calls = 0;
    VirtualLoop loop(scripted);
    World world{.loop = *loop};
    loop.run([](World& in, Task<void> (*told)(World&)) -> Task<void> {
        co_await told(in);
        co_await in.listeners.close_all();
    }(world, story));
}

}  // namespace

TEST(LoopListeners, EachConnectionIsHandedOnWithItsListener) {
    run({0, 0}, [](World& world) -> Task<void> {
        world.add(1);
        EXPECT_EQ(world.accepted, 2U);
        EXPECT_EQ(world.last, "listen.http for 192.0.2.7:40000");
        co_return;
    });
}

TEST(LoopListeners, AfterAFairShareOthersGetTheirTurn) {
    run(std::deque<int>(150, 0), [](World& world) -> Task<void> {
        world.add(1);
        EXPECT_EQ(world.accepted, 64U);
        co_await Yield{world.loop};
        EXPECT_EQ(world.accepted, 128U);
        co_await Yield{world.loop};
        EXPECT_EQ(world.accepted, 150U);
    });
}

TEST(LoopListeners, AConnectionThatDiedInTheQueueDoesNotStopTheNext) {
    for (const int error : {ECONNABORTED, EINTR, EPROTO, ENETUNREACH}) {
        SCOPED_TRACE(std::strerror(error));
        run({error, 0}, [](World& world) -> Task<void> {
            world.add(1);
            EXPECT_EQ(world.accepted, 1U);
            EXPECT_TRUE(world.troubles.empty());
            co_return;
        });
    }
}

TEST(LoopListeners, WithoutDescriptorsOrMemoryConnectionsWaitAndAreTakenUpLater) {
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        SCOPED_TRACE(std::strerror(error));
        run({0, error, error, 0}, [](World& world) -> Task<void> {
            world.add(1);
            EXPECT_EQ(world.accepted, 1U);
            EXPECT_EQ(world.troubles.size(), 1U);
            co_await world.pass(45ms);
            EXPECT_EQ(world.accepted, 1U);
            co_await world.pass(80ms);  // two retries
            EXPECT_EQ(world.accepted, 2U);
            EXPECT_EQ(world.troubles.size(), 1U);
        });
    }
}

TEST(LoopListeners, NoRoomIsToldOncePerTenSecondsForAllListeners) {
    run(std::deque<int>(100'000, EMFILE), [](World& world) -> Task<void> {
        world.add(1);
        world.add(2);
        co_await world.pass(25s);
        EXPECT_EQ(world.troubles,
                  (std::vector<std::string>(3, "connections to :80 have to wait: Too many open files")));
        EXPECT_LT(accept_calls, 2 * 25 * 20 + 5);
        queue.clear();
    });
}

TEST(LoopListeners, WithoutCapacityNothingIsAcceptedUntilThereIsSome) {
    run({0, 0, 0}, [](World& world) -> Task<void> {
        world.room = false;
        world.add(1);
        co_await world.pass(9s);
        EXPECT_EQ(accept_calls, 0);
        EXPECT_EQ(world.troubles.size(), 1U);
        EXPECT_NE(world.troubles.front().find("as many as it may"), std::string::npos);
        world.room = true;
        co_await world.pass(60ms);
        EXPECT_EQ(world.accepted, 3U);
    });
}

TEST(LoopListeners, ARemovedOneServesWhatIsInItsQueueAndCloses) {
    run({0, EMFILE, 0, 0}, [](World& world) -> Task<void> {
        const std::size_t before = open_descriptors();
        world.room = false;
        world.add(1);
        world.listeners.remove(1);
        co_await world.pass(1s);
        EXPECT_EQ(open_descriptors(), before + 1);
        world.room = true;
        co_await world.pass(200ms);
        EXPECT_EQ(world.accepted, 3U);
        EXPECT_EQ(open_descriptors(), before);
    });
}

TEST(LoopListeners, ARemovedOneThatCanNotServeClosesAfterAWhile) {
    run({0}, [](World& world) -> Task<void> {
        const std::size_t before = open_descriptors();
        world.room = false;
        world.add(1);
        world.listeners.remove(1);
        co_await world.pass(4900ms);
        EXPECT_EQ(open_descriptors(), before + 1);
        world.listeners.remove(1);  // does not begin the time again
        co_await world.pass(200ms);
        EXPECT_EQ(open_descriptors(), before);
        EXPECT_EQ(world.accepted, 0U);
    });
}

TEST(LoopListeners, ARemovedOneServesALongQueueToItsEnd) {
    run({}, [](World& world) -> Task<void> {
        world.add(1);
        queue.assign(1000, 0);
        world.listeners.remove(1);
        co_await world.pass(0ms);
        EXPECT_EQ(world.accepted, 1000U);
    });
}

TEST(LoopListeners, ARetaggedOneKeepsItsSocket) {
    run({}, [](World& world) -> Task<void> {
        world.room = false;
        world.add(1);
        world.listeners.retag({.id = 1, .address = ":80", .owner = "listen.mux"});
        world.listeners.retag({.id = 7, .address = ":80", .owner = "nobody"});
        queue = {0};
        world.room = true;
        co_await world.pass(60ms);
        EXPECT_EQ(world.last, "listen.mux for 192.0.2.7:40000");
    });
}

TEST(LoopListeners, AfterCloseAllNothingIsTakenOn) {
    run({0, 0}, [](World& world) -> Task<void> {
        const std::size_t before = open_descriptors();
        world.add(1);
        co_await world.listeners.close_all();
        EXPECT_EQ(world.accepted, 2U);
        queue = {0};
        world.add(2);
        EXPECT_EQ(world.accepted, 2U);
        EXPECT_EQ(open_descriptors(), before);
        queue.clear();
    });
}

TEST(LoopListeners, OneThatCanNotBeWatchedIsTold) {
    run({}, [](World& world) -> Task<void> {
        world.listeners.add({.id = 1, .address = ":80", .owner = "listen.http"}, Fd());
        EXPECT_EQ(world.troubles.size(), 1U);
        co_return;
    });
}
