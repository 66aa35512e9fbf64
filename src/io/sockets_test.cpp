#include "io/sockets.hpp"

#include "io/testing.hpp"

#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::read_to_end;
using io::testing::RealLoop;
using io::testing::StreamPair;
using io::testing::VirtualLoop;

namespace {

SocketAddress at(const char* ip, std::uint16_t port = 0) { return {*IpAddress::parse(ip), port}; }

Task<Accepted> accepts(Acceptor& acceptor) {
    for (;;) {
        auto accepted = acceptor.accept();
        if (accepted) co_return std::move(*accepted);
        EXPECT_EQ(accepted.error(), EAGAIN);
        const Wait waited = co_await acceptor.readable(Deadline::none);
        EXPECT_EQ(waited, Wait::ready);
    }
}

SystemCalls with_connect(decltype(SystemCalls::connect) connect) {
    SystemCalls calls;
    calls.connect = connect;
    return calls;
}

}  // namespace

TEST(Sockets, ConnectionsArriveWithTheAddressesOfBothEnds) {
    struct Case {
        const char* name;
        const char* listen_on;
        ListenOptions options;
        const char* connect_to;
        std::optional<IpAddress> source;
        const char* peer;
    };
    const Case cases[] = {
        {"v4", "127.0.0.1", {}, "127.0.0.1", {}, "127.0.0.1"},
        {"v6", "::1", {}, "::1", {}, "::1"},
        {"v4 wildcard", "0.0.0.0", {}, "127.0.0.1", {}, "127.0.0.1"},
        {"v6 wildcard", "::", {}, "::1", {}, "::1"},
        {"both by v4", "::", {.v4_too = true}, "127.0.0.1", {}, "127.0.0.1"},
        {"both by v6", "::", {.v4_too = true}, "::1", {}, "::1"},
        {"chosen source", "127.0.0.1", {}, "127.0.0.1", IpAddress::parse("127.0.0.2"), "127.0.0.2"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        RealLoop loop;
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            Fd fd = *listen_tcp(at(how.listen_on), how.options);
            const std::uint16_t port = local_address(fd.get()).port;
            EXPECT_GT(port, 0);
            Acceptor acceptor = *Acceptor::adopt(on, std::move(fd), cancellation);
            auto near = co_await connect_tcp(on, cancellation, at(how.connect_to, port), how.source, Deadline::none);
            EXPECT_TRUE(near.has_value());
            if (!near) co_return;
            Accepted accepted = co_await accepts(acceptor);
            EXPECT_EQ(accepted.peer.ip.to_string(), how.peer);
            EXPECT_EQ(accepted.peer, local_address(near->fd()));
            EXPECT_EQ(near->write(as_bytes("hello")), Io::ok);
            near->shutdown_write();
            Stream far = *Stream::adopt(on, std::move(accepted.fd), cancellation);
            const std::string got = co_await read_to_end(far);
            EXPECT_EQ(got, "hello");
        }(*loop, c));
    }
}

TEST(Sockets, ConnectionsMayComeFromThePortThatIsListenedOn) {
    RealLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        const Fd own = *listen_one_tcp(at("127.0.0.1"));
        Fd listening = *listen_tcp(at("127.0.0.1"), {});
        const SocketAddress there = local_address(listening.get());
        Acceptor peer = *Acceptor::adopt(on, std::move(listening), cancellation);
        Source source(local_address(own.get()).ip);
        source.shared_port = local_address(own.get()).port;
        auto near = co_await connect_tcp(on, cancellation, there, source, Deadline::none);
        EXPECT_TRUE(near.has_value());
        const Accepted accepted = co_await accepts(peer);
        EXPECT_EQ(accepted.peer, local_address(own.get()));
    }(*loop));
    const Fd holder = *listen_tcp(at("127.0.0.1"), {});
    EXPECT_EQ(listen_one_tcp(local_address(holder.get())).error(), EADDRINUSE);
}

TEST(Sockets, AV6WildcardAloneLeavesV4ToAnother) {
    const Fd six = *listen_tcp(at("::"), {});
    const std::uint16_t port = local_address(six.get()).port;
    EXPECT_TRUE(listen_tcp(at("0.0.0.0", port), {}).has_value());
}

TEST(Sockets, AListenerThatCannotBeSaysWhichAndWhatToDo) {
    const Fd holder = *listen_tcp(at("127.0.0.1"), {});
    const std::uint16_t taken = local_address(holder.get()).port;
    const auto in_use = listen_tcp(at("127.0.0.1", taken), {});
    ASSERT_FALSE(in_use.has_value());
    EXPECT_EQ(in_use.error().message, "can't listen on 127.0.0.1:" + std::to_string(taken) +
                                          ": another program holds it (ss -ltnp shows which)");
    const auto foreign = listen_tcp(at("192.0.2.1", 4433), {});
    ASSERT_FALSE(foreign.has_value());
    EXPECT_EQ(foreign.error().message, "can't listen on 192.0.2.1:4433: this machine has no such address");
}

TEST(Sockets, APrivilegedPortSaysWhatItNeeds) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may listen anywhere";
    const auto low = listen_tcp(at("127.0.0.1", 1), {});
    if (low) GTEST_SKIP() << "this machine lets anybody listen on low ports";
    EXPECT_EQ(low.error().message, "can't listen on 127.0.0.1:1: a port below 1024 needs root or CAP_NET_BIND_SERVICE");
}

TEST(Sockets, ReusePortLetsEachLoopHaveItsOwnListener) {
    const Fd first = *listen_tcp(at("127.0.0.1"), {.reuse_port = true});
    const SocketAddress same = local_address(first.get());
    EXPECT_TRUE(listen_tcp(same, {.reuse_port = true}).has_value());
    EXPECT_FALSE(listen_tcp(same, {}).has_value());
}

TEST(Sockets, AFullDescriptorTableIsToldAndTheConnectionIsThereAfterwards) {
    static int failures;
    for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
        SCOPED_TRACE(error);
        static int failing_with;
        failing_with = error;
        failures = 3;
        SystemCalls calls;
        calls.accept4 = [](int fd, sockaddr* peer, socklen_t* size, int flags) {
            if (failures-- <= 0) return ::accept4(fd, peer, size, flags);
            errno = failing_with;
            return -1;
        };
        RealLoop loop(calls);
        loop.run([](Loop& on, int expected) -> Task<void> {
            Cancellation cancellation;
            Fd fd = *listen_tcp(at("127.0.0.1"), {});
            const SocketAddress where = local_address(fd.get());
            Acceptor acceptor = *Acceptor::adopt(on, std::move(fd), cancellation);
            const auto near = co_await connect_tcp(on, cancellation, where, {}, Deadline::none);
            EXPECT_TRUE(near.has_value());
            for (int i = 0; i < 3; ++i) {
                const auto refused = acceptor.accept();
                EXPECT_EQ(refused.has_value() ? 0 : refused.error(), expected);
                co_await Sleep(on, cancellation, on.in(1ms));  // what the caller is told to do
            }
            const auto accepted = acceptor.accept();
            EXPECT_TRUE(accepted.has_value());
        }(*loop, error));
    }
}

TEST(Sockets, AConnectionThatFailsSaysHow) {
    struct Case {
        const char* name;
        SystemCalls calls;
        ConnectFailure failure;
        int error;
    };
    const Case cases[] = {
        {"refused", {}, ConnectFailure::refused, ECONNREFUSED},
        {"no route", with_connect([](int, const sockaddr*, socklen_t) {
             errno = ENETUNREACH;
             return -1;
         }),
         ConnectFailure::unreachable, ENETUNREACH},
        {"our own firewall", with_connect([](int, const sockaddr*, socklen_t) {
             errno = EPERM;
             return -1;
         }),
         ConnectFailure::unreachable, EPERM},
        {"no port left", with_connect([](int, const sockaddr*, socklen_t) {
             errno = EADDRNOTAVAIL;
             return -1;
         }),
         ConnectFailure::unreachable, EADDRNOTAVAIL},
        {"no memory", with_connect([](int, const sockaddr*, socklen_t) {
             errno = ENOMEM;
             return -1;
         }),
         ConnectFailure::local, ENOMEM},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Fd gone = *listen_tcp(at("127.0.0.1"), {});
        const SocketAddress nobody = local_address(gone.get());
        gone.reset();
        RealLoop loop(c.calls);
        loop.run([](Loop& on, SocketAddress to, const Case& expected) -> Task<void> {
            Cancellation cancellation;
            const auto failed = co_await connect_tcp(on, cancellation, to, {}, Deadline::none);
            EXPECT_FALSE(failed.has_value());
            if (failed) co_return;
            EXPECT_EQ(failed.error().failure, expected.failure);
            EXPECT_EQ(failed.error().error, expected.error);
        }(*loop, nobody, c));
    }
}

namespace {

// A listener whose queue is full: the kernel drops what else knocks, and nobody answers.
class Silence {
public:
    Silence() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_storage storage;
        const unsigned size = at("127.0.0.1").to_sockaddr(storage);
        const auto* address = reinterpret_cast<const sockaddr*>(&storage);
        EXPECT_EQ(::bind(listener_.get(), address, size) | ::listen(listener_.get(), 0), 0);
        where_ = local_address(listener_.get());
        where_.to_sockaddr(storage);
        for (Fd& fd : knocking_) {
            fd = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            ::connect(fd.get(), address, size);
        }
    }
    const SocketAddress& where() const { return where_; }

private:
    Fd listener_;
    Fd knocking_[4];
    SocketAddress where_;
};

}  // namespace

TEST(Sockets, ASilentPeerIsGivenUpAtTheDeadlineOrOnCancellation) {
    for (const bool cancelled : {false, true}) {
        SCOPED_TRACE(cancelled);
        const Silence silence;
        VirtualLoop loop;
        const SteadyTime before = loop->now();
        loop.run([](Loop& on, SocketAddress to, bool cancels) -> Task<void> {
            Scope scope(on);
            ConnectError error{};
            scope.spawn([](Loop& l, Cancellation& c, SocketAddress where, ConnectError& into) -> Task<void> {
                const auto failed = co_await connect_tcp(l, c, where, {}, l.in(20s));
                EXPECT_FALSE(failed.has_value());
                if (!failed) into = failed.error();
            }(on, scope.cancellation(), to, error));
            if (cancels) scope.cancel();
            co_await scope.join();
            EXPECT_EQ(error.failure, cancels ? ConnectFailure::cancelled : ConnectFailure::timeout);
            EXPECT_EQ(error.error, 0);
        }(*loop, silence.where(), cancelled));
        EXPECT_EQ(loop->now() - before >= 20s, !cancelled);
    }
}

namespace {

struct Connected {
    Stream near;
    Stream far;
};
Task<Connected> connected(Loop& loop, Cancellation& cancellation) {
    Fd fd = *listen_tcp(at("127.0.0.1"), {});
    const SocketAddress where = local_address(fd.get());
    Acceptor acceptor = *Acceptor::adopt(loop, std::move(fd), cancellation);
    auto near = co_await connect_tcp(loop, cancellation, where, {}, Deadline::none);
    Accepted accepted = co_await accepts(acceptor);
    co_return Connected{std::move(*near), *Stream::adopt(loop, std::move(accepted.fd), cancellation)};
}

}  // namespace

// The client is still sending when it is answered: close() discards the answer with a reset, close_lingering() does
// not.
TEST(CloseLingering, DeliversTheLastAnswerThatAPlainCloseLoses) {
    for (const bool linger : {true, false}) {
        SCOPED_TRACE(linger);
        RealLoop loop;
        loop.run([](Loop& on, bool lingers) -> Task<void> {
            Cancellation cancellation;
            Connected pair = co_await connected(on, cancellation);
            EXPECT_EQ(pair.near.write(as_bytes("a request, and much that nobody reads")), Io::ok);
            const Wait arrived = co_await pair.far.readable(Deadline::none);
            EXPECT_EQ(arrived, Wait::ready);
            // More than the client's window takes: the rest waits in our kernel.
            const std::string answer(200'000, 'a');
            const int room = 400'000;
            EXPECT_EQ(::setsockopt(pair.far.fd(), SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
            EXPECT_EQ(pair.far.write(as_bytes(answer)), Io::ok);
            EXPECT_FALSE(pair.far.blocked());
            Scope scope(on);
            if (lingers)
                scope.spawn(close_lingering(pair.far, Deadline::none));
            else
                pair.far.close();
            const std::string got = co_await read_to_end(pair.near);
            EXPECT_EQ(got == answer, lingers) << got.size();
            pair.near.close();
            co_await scope.join();
        }(*loop, linger));
    }
}

TEST(CloseLingering, GivesUpAtTheDeadline) {
    VirtualLoop loop;
    const SteadyTime before = loop->now();
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        co_await close_lingering(pair.near, on.in(5s));
        const std::string got = co_await read_to_end(pair.far);
        EXPECT_EQ(got, "");
    }(*loop));
    EXPECT_GE(loop->now() - before, 5s);
}

TEST(CloseLingering, APeerThatNeverStopsSendingHoldsUpNobody) {
    SystemCalls calls;
    static int reads;
    reads = 0;
    calls.recv = [](int, void*, size_t size, int) -> ssize_t {
        return ++reads < 10'000 ? static_cast<ssize_t>(size) : 0;
    };
    VirtualLoop loop(calls);
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        EXPECT_EQ(pair.far.write(as_bytes("x")), Io::ok);
        Scope scope(on);
        scope.spawn(close_lingering(pair.near, Deadline::none));
        for (int i = 0; i < 10; ++i) co_await Yield{on};
        cancellation.request();
        co_await scope.join();
    }(*loop));
    EXPECT_LT(reads, 100);
}
