#include "net/dial.hpp"

#include "io/testing.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace sallyport::net;
using namespace std::chrono_literals;
using io::testing::open_descriptors;
using io::testing::RealLoop;
using io::testing::socket_pair;
using io::testing::VirtualLoop;

namespace {

// What a scripted peer does with a connection; a positive number is the errno that connect() fails with.
constexpr int answers = 0;
constexpr int silent = -1;          // nothing, until the test lets it answer
constexpr int refuses_later = -2;   // connect() says EINPROGRESS, then a reset comes

struct Peers {
    std::map<std::uint16_t, int> behaves;     // by port
    std::vector<std::string> dialed{};        // in order
    std::map<std::uint16_t, Fd> ends{};       // the peer's end of each connection
};
Peers peers;  // a replaced system call has no place for a context

// An in-kernel refusal that getsockopt(SO_ERROR) has still to collect.
Fd refused_socket() {
    const Fd closed = *listen_tcp({IpAddress::v4(INADDR_LOOPBACK), 0}, {});
    sockaddr_storage storage;
    const unsigned size = local_address(closed.get()).to_sockaddr(storage);
    ::shutdown(closed.get(), SHUT_RDWR);
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size), -1);
    pollfd refused{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    EXPECT_EQ(::poll(&refused, 1, -1), 1);
    return fd;
}

void fill(int fd) {
    const std::string bytes(4096, 'x');
    while (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) > 0) {}
}

void drain(int fd) {
    char room[4096];
    while (::recv(fd, room, sizeof room, 0) > 0) {}
}

int scripted_connect(int fd, const sockaddr* to, socklen_t) {
    const SocketAddress address = SocketAddress::from(*to);
    peers.dialed.push_back(address.to_string());
    const int behavior = peers.behaves.at(address.port);
    if (behavior == refuses_later) {
        ::dup2(refused_socket().get(), fd);
    } else if (behavior > 0) {
        errno = behavior;
        return -1;
    } else {
        auto [near, far] = socket_pair();
        if (behavior == silent) fill(near.get());
        ::dup2(near.get(), fd);
        peers.ends[address.port] = std::move(far);
    }
    errno = EINPROGRESS;
    return -1;
}

constexpr SystemCalls scripted{.connect = scripted_connect};

bool is_closed(const Fd& end) {
    drain(end.get());
    char byte;
    return ::recv(end.get(), &byte, 1, 0) == 0;
}

SocketAddress v4(std::uint16_t port) { return {IpAddress::v4(INADDR_LOOPBACK), port}; }
SocketAddress v6(std::uint16_t port) { return {*IpAddress::parse("::1"), port}; }

const char* name_of(const std::expected<Stream, ConnectError>& dialed) {
    if (dialed) return "connected";
    constexpr const char* names[] = {"refused", "timeout", "unreachable", "cancelled", "local"};
    return names[static_cast<int>(dialed.error().failure)];
}

struct Outcome {
    std::string result;   // "connected", or the failure
    int error = 0;
    std::string peer;     // of the connection: the port of its scripted peer
    Duration took{};
};

// Which scripted peer reads what is written to `stream`?
std::string peer_of(Stream& stream) {
    for (auto& [port, end] : peers.ends) drain(end.get());
    EXPECT_EQ(stream.write(as_bytes("?")), Io::ok);
    for (auto& [port, end] : peers.ends) {
        char byte = 0;
        if (::recv(end.get(), &byte, 1, 0) == 1) return std::to_string(port);
    }
    return "none";
}

Task<void> dial_once(Loop& loop, Cancellation& cancellation, DialPlan plan, Duration within, Outcome& out) {
    const SteadyTime before = loop.now();
    auto dialed = co_await dial(loop, cancellation, std::move(plan), loop.in(within));
    out.took = loop.now() - before;
    out.result = name_of(dialed);
    if (dialed) {
        out.peer = peer_of(*dialed);
        EXPECT_FALSE(dialed->watched().cancelled);
        cancellation.request();
        EXPECT_TRUE(dialed->watched().cancelled) << "the caller's cancellation rules the winner";
    } else {
        out.error = dialed.error().error;
    }
}

// Each peer must have seen its connection closed.
void hang_up() {
    for (const auto& [port, end] : peers.ends) EXPECT_TRUE(is_closed(end)) << "port " << port;
    peers.ends.clear();
}

Outcome dial_scripted(std::map<std::uint16_t, int> behaves, DialPlan plan, Duration within = 5s) {
    Outcome out;
    peers = Peers{.behaves = std::move(behaves)};
    VirtualLoop loop(scripted);
    Cancellation cancellation;
    loop.run(dial_once(*loop, cancellation, std::move(plan), within, out));
    hang_up();
    return out;
}

bool about(Duration took, Duration expected) { return took >= expected && took < expected + 20ms; }

}  // namespace

TEST(Dial, TheFirstToAnswerWins) {
    struct Case {
        const char* what;
        std::map<std::uint16_t, int> behaves;
        std::string winner;
        std::vector<std::string> dialed;
        Duration took;
    };
    const Case cases[] = {
        {"one address", {{1, answers}}, "1", {"127.0.0.1:1"}, 0ms},
        {"the first answers", {{1, answers}, {2, answers}}, "1", {"127.0.0.1:1"}, 0ms},
        {"a silent one costs a quarter of a second",
         {{1, silent}, {2, answers}},
         "2",
         {"127.0.0.1:1", "127.0.0.1:2"},
         250ms},
        {"two silent ones cost half",
         {{1, silent}, {2, silent}, {3, answers}},
         "3",
         {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
         500ms},
        {"a refusal costs nothing", {{1, refuses_later}, {2, answers}}, "2", {"127.0.0.1:1", "127.0.0.1:2"}, 0ms},
        {"no route costs nothing", {{1, ENETUNREACH}, {2, answers}}, "2", {"127.0.0.1:1", "127.0.0.1:2"}, 0ms},
        {"after a refusal the silent one has its own quarter",
         {{1, refuses_later}, {2, silent}, {3, answers}},
         "3",
         {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"},
         250ms},
        {"three silent ones and a refusal cost three quarters",
         {{1, silent}, {2, silent}, {3, silent}, {4, refuses_later}, {5, answers}},
         "5",
         {"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:5"},
         750ms},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        DialPlan plan;
        for (const auto& [port, behavior] : c.behaves) plan.addresses.push_back(v4(port));
        const Outcome out = dial_scripted(c.behaves, plan);
        EXPECT_EQ(out.result, "connected");
        EXPECT_EQ(out.peer, c.winner);
        EXPECT_EQ(peers.dialed, c.dialed);
        EXPECT_TRUE(about(out.took, c.took)) << out.took.count();
    }
}

TEST(Dial, TheMostTellingFailureIsReported) {
    struct Case {
        const char* what;
        std::map<std::uint16_t, int> behaves;
        const char* result;
        int error;
        Duration took;
    };
    const Case cases[] = {
        {"one refuses", {{1, refuses_later}}, "refused", ECONNREFUSED, 0ms},
        {"one is silent", {{1, silent}}, "timeout", 0, 5s},
        {"refused before silence", {{1, silent}, {2, refuses_later}}, "refused", ECONNREFUSED, 5s},
        {"silence before no route", {{1, ENETUNREACH}, {2, silent}}, "timeout", 0, 5s},
        {"no route before our own trouble", {{1, EHOSTUNREACH}, {2, EADDRINUSE}}, "unreachable", EHOSTUNREACH, 0ms},
        {"our own trouble", {{1, EADDRINUSE}, {2, EADDRINUSE}}, "local", EADDRINUSE, 0ms},
        {"the first of equals", {{1, EHOSTUNREACH}, {2, ENETUNREACH}}, "unreachable", EHOSTUNREACH, 0ms},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        DialPlan plan;
        for (const auto& [port, behavior] : c.behaves) plan.addresses.push_back(v4(port));
        const Outcome out = dial_scripted(c.behaves, plan);
        EXPECT_EQ(out.result, c.result);
        EXPECT_EQ(out.error, c.error);
        EXPECT_EQ(peers.dialed.size(), c.behaves.size());
        EXPECT_TRUE(about(out.took, c.took)) << out.took.count();
    }
}

TEST(Dial, FamiliesTakeTurnsBeginningWithTheFirst) {
    const std::map<std::uint16_t, int> behaves{
        {1, EHOSTUNREACH}, {2, EHOSTUNREACH}, {3, EHOSTUNREACH}, {4, EHOSTUNREACH}};
    dial_scripted(behaves, {.addresses = {v6(1), v6(2), v6(3), v4(4)}});
    EXPECT_EQ(peers.dialed, (std::vector<std::string>{"[::1]:1", "127.0.0.1:4", "[::1]:2", "[::1]:3"}));
    dial_scripted(behaves, {.addresses = {v4(1), v4(2), v6(3), v6(4)}});
    EXPECT_EQ(peers.dialed, (std::vector<std::string>{"127.0.0.1:1", "[::1]:3", "127.0.0.1:2", "[::1]:4"}));
}

TEST(Dial, ASourceAddressLeavesTheOtherFamilyOut) {
    const DialPlan plan{.addresses = {v6(1), v4(2)}, .source = IpAddress::v4(INADDR_LOOPBACK)};
    EXPECT_EQ(dial_scripted({{1, answers}, {2, answers}}, plan).peer, "2");
    const DialPlan no_way{.addresses = {v6(1), v6(2)}, .source = IpAddress::v4(INADDR_LOOPBACK)};
    const Outcome out = dial_scripted({}, no_way);
    EXPECT_EQ(out.result, "unreachable");
    EXPECT_EQ(out.error, EAFNOSUPPORT);
}

TEST(Dial, ASourceAddressThatIsNotOursIsUnreachable) {
    const Outcome out = dial_scripted({}, {.addresses = {v4(1), v4(2)}, .source = IpAddress::parse("192.0.2.1")});
    EXPECT_EQ(out.result, "unreachable");
    EXPECT_EQ(out.error, EADDRNOTAVAIL);
}

TEST(Dial, EachFamilyIsDialedFromItsOwnSource) {
    const DialPlan plan{.addresses = {}, .sources = {{IpAddress::parse("192.0.2.1"), IpAddress::parse("2001:db8::1")}}};
    EXPECT_EQ(plan.source_towards(v4(1).ip)->ip, IpAddress::parse("192.0.2.1"));
    EXPECT_EQ(plan.source_towards(v6(1).ip)->ip, IpAddress::parse("2001:db8::1"));
    EXPECT_TRUE(plan.source_towards(v6(1).ip)->anywhere);
    DialPlan own = plan;
    own.source = IpAddress::v4(INADDR_LOOPBACK);
    EXPECT_EQ(own.source_towards(v4(1).ip)->ip, own.source);
    EXPECT_FALSE(own.source_towards(v4(1).ip)->anywhere);
    EXPECT_FALSE(DialPlan{}.source_towards(v4(1).ip));
}

TEST(Dial, AFamilyWithoutASourceIsLeftOutWhereTheOtherHasOne) {
    const egress::Sources v4_alone{{IpAddress::v4(INADDR_LOOPBACK)}};
    const std::map<std::uint16_t, int> behaves{{1, answers}, {2, answers}};
    EXPECT_EQ(dial_scripted(behaves, {.addresses = {v6(1), v4(2)}, .sources = v4_alone}).peer, "2");
    EXPECT_EQ(dial_scripted(behaves, {.addresses = {v6(1)}, .sources = v4_alone}).peer, "1");
}

TEST(Dial, ASourceNeedBeOnNoInterfaceWhereItIsRoutedHere) {
    const DialPlan plan{.addresses = {v4(1)}, .sources = {{IpAddress::parse("192.0.2.1")}}};
    EXPECT_EQ(dial_scripted({{1, answers}}, plan).peer, "1");
}

TEST(Dial, NoAddressIsUnreachable) {
    const Outcome out = dial_scripted({}, {});
    EXPECT_EQ(out.result, "unreachable");
    EXPECT_EQ(out.error, EDESTADDRREQ);
}

TEST(Dial, TheDeadlineIsForAllAttemptsTogether) {
    DialPlan plan;
    std::map<std::uint16_t, int> behaves;
    for (std::uint16_t port = 1; port <= 9; ++port) {
        plan.addresses.push_back(v4(port));
        behaves[port] = silent;
    }
    const Outcome out = dial_scripted(behaves, plan, 600ms);
    EXPECT_EQ(out.result, "timeout");
    EXPECT_EQ(peers.dialed.size(), 3U);  // at 0, 250 and 500 ms
    EXPECT_TRUE(about(out.took, 600ms)) << out.took.count();
    EXPECT_EQ(dial_scripted(behaves, plan, 0ms).result, "timeout");
    EXPECT_TRUE(peers.dialed.empty()) << "the time was over before it began";
}

namespace {

// Lets silent peers answer after a while, all in the same turn.
Task<void> answer_later(Loop& loop, Cancellation& cancellation, Duration after, std::vector<std::uint16_t> ports) {
    const Wait waited = co_await Sleep(loop, cancellation, loop.in(after));
    EXPECT_EQ(waited, Wait::timeout);
    for (const std::uint16_t port : ports) drain(peers.ends.at(port).get());
}

}  // namespace

TEST(Dial, AnEarlierAttemptMayStillWin) {
    peers = Peers{.behaves = {{1, silent}, {2, silent}}};
    VirtualLoop loop(scripted);
    Outcome out;
    loop.run([](Loop& on, Outcome& into) -> Task<void> {
        Scope scope(on);
        Cancellation cancellation;
        scope.spawn(answer_later(on, scope.cancellation(), 300ms, {1}));
        co_await dial_once(on, cancellation, {.addresses = {v4(1), v4(2)}}, 5s, into);
        co_await scope.join();
    }(*loop, out));
    EXPECT_EQ(out.peer, "1");
    hang_up();
}

TEST(Dial, OfTwoThatAnswerInOneTurnTheFirstIsKeptAndTheOtherClosed) {
    peers = Peers{.behaves = {{1, silent}, {2, silent}}};
    VirtualLoop loop(scripted);
    loop.run([](Loop& on) -> Task<void> {
        Scope scope(on);
        Cancellation cancellation;
        scope.spawn(answer_later(on, scope.cancellation(), 300ms, {1, 2}));
        auto dialed = co_await dial(on, cancellation, {.addresses = {v4(1), v4(2)}}, Deadline::none);
        EXPECT_STREQ(name_of(dialed), "connected");
        EXPECT_FALSE(is_closed(peers.ends.at(1)));
        EXPECT_TRUE(is_closed(peers.ends.at(2)));
        co_await scope.join();
    }(*loop));
    hang_up();
}

TEST(Dial, LosersAreClosedWhenItReturns) {
    peers = Peers{.behaves = {{1, silent}, {2, answers}}};
    VirtualLoop loop(scripted);
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        const std::size_t before = open_descriptors();
        auto dialed = co_await dial(on, cancellation, {.addresses = {v4(1), v4(2)}}, Deadline::none);
        EXPECT_STREQ(name_of(dialed), "connected");
        EXPECT_TRUE(is_closed(peers.ends.at(1)));  // it would have answered later
        EXPECT_FALSE(is_closed(peers.ends.at(2)));
        EXPECT_EQ(open_descriptors(), before + 1 + peers.ends.size());
    }(*loop));
    hang_up();
}

TEST(Dial, CancellationEndsEveryAttempt) {
    for (const std::size_t addresses : {1U, 3U}) {
        for (const Duration after : {0ms, 100ms, 250ms, 400ms, 2000ms}) {
            SCOPED_TRACE(std::to_string(addresses) + " addresses, after " + std::to_string(after / 1ms) + " ms");
            peers = Peers{.behaves = {{1, silent}, {2, silent}, {3, silent}}};
            VirtualLoop loop(scripted);
            loop.run([](Loop& on, std::size_t count, Duration until) -> Task<void> {
                Cancellation cancellation;
                Cancellation never;
                Scope scope(on);
                Outcome out;
                DialPlan plan{.addresses = {v4(1), v4(2), v4(3)}};
                plan.addresses.resize(count);
                if (until == 0ms) cancellation.request();
                scope.spawn(dial_once(on, cancellation, plan, 5s, out));
                if (until != 0ms) co_await Sleep(on, never, on.in(until));
                cancellation.request();
                co_await scope.join();
                EXPECT_EQ(out.result, "cancelled");
                EXPECT_LT(out.took, until + 20ms);
            }(*loop, addresses, after));
            hang_up();
        }
    }
}

namespace {

// No descriptor can be opened while this lives.
class NoDescriptors {
public:
    NoDescriptors() {
        EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
        const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
        EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    }
    ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace

TEST(Dial, AFullDescriptorTableIsALocalFailure) {
    VirtualLoop loop;
    Cancellation cancellation;
    Outcome out;
    const NoDescriptors none;
    loop.run(dial_once(*loop, cancellation, {.addresses = {v4(1), v4(2)}}, 5s, out));
    EXPECT_EQ(out.result, "local");
    EXPECT_EQ(out.error, EMFILE);
}

// The kernel's own loopback, on real time.
TEST(Dial, OverLoopbackARefusalLeadsToTheOtherFamily) {
    auto listener = listen_tcp(v6(0), {});
    if (!listener) GTEST_SKIP() << "no IPv6 here: " << listener.error().message;
    const std::uint16_t port = local_address(listener->get()).port;
    RealLoop loop;
    loop.run([](Loop& on, std::uint16_t to) -> Task<void> {
        Cancellation cancellation;
        // 127.0.0.2 has no listener on this port: only ::1 has.
        const DialPlan plan{.addresses = {{*IpAddress::parse("127.0.0.2"), to}, v6(to)}};
        auto dialed = co_await dial(on, cancellation, plan, on.in(1min));
        EXPECT_STREQ(name_of(dialed), "connected");
        const DialPlan closed{.addresses = {{*IpAddress::parse("127.0.0.2"), to}, {*IpAddress::parse("127.0.0.3"), to}},
                              .source = IpAddress::parse("127.0.0.9")};
        dialed = co_await dial(on, cancellation, closed, on.in(1min));
        EXPECT_STREQ(name_of(dialed), "refused");
    }(*loop, port));
}
