#include "io/udp.hpp"

#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/testing.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::VirtualLoop;

namespace {

SocketAddress at(const char* ip, std::uint16_t port = 0) { return {*IpAddress::parse(ip), port}; }

UdpSocket udp(Loop& loop, Cancellation& cancellation, const char* ip, ListenOptions options = {}) {
    return *UdpSocket::adopt(loop, *bind_udp(at(ip), options), cancellation);
}

std::uint16_t port_of(const UdpSocket& socket) { return local_address(socket.fd()).port; }

// Loopback delivers within the send: what was sent is there.
std::string received(UdpSocket& socket) {
    DatagramBatch batch;
    std::string out;
    for (const Datagram& datagram : socket.receive(batch)) out += std::string(as_text(datagram.bytes)) + ";";
    return out;
}

}  // namespace

TEST(Udp, EachDatagramTellsItsAddressesAndIsAnsweredFromTheOneItCameTo) {
    struct Case {
        const char* name;
        const char* bound_to;
        ListenOptions options;
        const char* client;
        const char* sent_to;
    };
    const Case cases[] = {
        {"v4", "127.0.0.1", {}, "127.0.0.1", "127.0.0.1"},
        {"v4 wildcard", "0.0.0.0", {}, "127.0.0.1", "127.0.0.2"},
        {"v6", "::1", {}, "::1", "::1"},
        {"v6 wildcard", "::", {}, "::1", "::1"},
        {"both by v4", "::", {.v4_too = true}, "127.0.0.1", "127.0.0.2"},
        {"both by v6", "::", {.v4_too = true}, "::1", "::1"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        VirtualLoop loop;
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            UdpSocket server = udp(on, cancellation, how.bound_to, how.options);
            UdpSocket client = udp(on, cancellation, how.client);
            const SocketAddress asked = at(how.sent_to, port_of(server));
            const Datagram question{.peer = asked, .local = {}, .bytes = as_bytes("question")};
            EXPECT_EQ(client.send({&question, 1}).done, 1U);
            const Wait waited = co_await server.readable(on.in(1s));
            EXPECT_EQ(waited, Wait::ready);
            DatagramBatch batch;
            const auto got = server.receive(batch);
            EXPECT_EQ(got.size(), 1U);
            if (got.size() != 1) co_return;
            EXPECT_EQ(as_text(got[0].bytes), "question");
            EXPECT_EQ(got[0].peer, local_address(client.fd()));
            EXPECT_EQ(got[0].local.to_string(), how.sent_to);
            EXPECT_FALSE(got[0].truncated);

            const Datagram answer{.peer = got[0].peer, .local = got[0].local, .bytes = as_bytes("answer")};
            EXPECT_EQ(server.send({&answer, 1}).done, 1U);
            DatagramBatch answers;
            const auto back = client.receive(answers);
            EXPECT_EQ(back.size(), 1U);
            if (back.size() == 1) EXPECT_EQ(back[0].peer, asked);
        }(*loop, c));
    }
}

TEST(Udp, ManyComeInBatchesAndThenNone) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        std::vector<std::string> texts;
        for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i));
        std::vector<Datagram> datagrams;
        for (const auto& text : texts)
            datagrams.push_back({.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes(text)});
        const auto sent = client.send(datagrams);
        EXPECT_EQ(sent.done, 100U);
        EXPECT_EQ(sent.failed, 0U);
        DatagramBatch batch;
        std::size_t next = 0;
        for (const std::size_t size : {32U, 32U, 32U, 4U, 0U}) {
            const auto got = server.receive(batch);
            EXPECT_EQ(got.size(), size);
            for (const Datagram& datagram : got) EXPECT_EQ(as_text(datagram.bytes), texts.at(next++));
        }
        const Wait nothing = co_await server.readable(on.in(1s));
        EXPECT_EQ(nothing, Wait::timeout);
        cancellation.request();
        const Wait never = co_await server.readable(Deadline::none);
        EXPECT_EQ(never, Wait::cancelled);
    }(*loop));
}

TEST(Udp, WhatIsLongerThanTheRoomIsCutAndMarked) {
    for (const std::size_t size :
         {std::size_t{0}, DatagramBatch::room - 1, DatagramBatch::room, DatagramBatch::room + 1, std::size_t{9000}}) {
        SCOPED_TRACE(size);
        VirtualLoop loop;
        loop.run([](Loop& on, std::size_t bytes) -> Task<void> {
            Cancellation cancellation;
            UdpSocket server = udp(on, cancellation, "127.0.0.1");
            UdpSocket client = udp(on, cancellation, "127.0.0.1");
            const std::string text(bytes, 'x');
            const Datagram datagram{.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes(text)};
            EXPECT_EQ(client.send({&datagram, 1}).done, 1U);
            DatagramBatch batch;
            const auto got = server.receive(batch);
            EXPECT_EQ(got.size(), 1U);
            if (got.size() != 1) co_return;
            EXPECT_EQ(got[0].bytes.size(), std::min(bytes, DatagramBatch::room));
            EXPECT_EQ(got[0].truncated, bytes > DatagramBatch::room);
        }(*loop, size));
    }
}

TEST(Udp, ABatchWithRoomForTheLargestTakesWhateverUdpCarries) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        const std::string text(65'507, 'x');
        const Datagram datagram{.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes(text)};
        EXPECT_EQ(client.send({&datagram, 1}).failed, 0U);
        DatagramBatch batch(DatagramBatch::largest_room);
        const auto got = server.receive(batch);
        EXPECT_EQ(got.size(), 1U);
        EXPECT_TRUE(!got.empty() && as_text(got[0].bytes) == text && !got[0].truncated);
        co_return;
    }(*loop));
}

TEST(Udp, PiecesArriveAsOneDatagramFromTheAddressThatIsAskedFor) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{100}, DatagramBatch::room, std::size_t{40'000}}) {
        for (const char* const from : {"0.0.0.0", "127.0.0.2"}) {
            SCOPED_TRACE(std::to_string(size) + " from " + from);
            VirtualLoop loop;
            loop.run([](Loop& on, std::size_t bytes, const char* local) -> Task<void> {
                Cancellation cancellation;
                UdpSocket server = udp(on, cancellation, "127.0.0.1");
                UdpSocket client = udp(on, cancellation, "0.0.0.0");
                const std::string text(bytes, 'x');
                const Bytes pieces[] = {as_bytes("head"), as_bytes(text)};
                EXPECT_TRUE(client.send_one(local_address(server.fd()), *IpAddress::parse(local), pieces));
                DatagramBatch batch(DatagramBatch::largest_room);
                const auto got = server.receive(batch);
                EXPECT_EQ(got.size(), 1U);
                if (got.size() != 1) co_return;
                EXPECT_TRUE(as_text(got[0].bytes) == "head" + text);
                EXPECT_EQ(got[0].peer.ip.to_string() == "127.0.0.2", std::string_view(local) == "127.0.0.2");
            }(*loop, size, from));
        }
    }
}

TEST(Udp, WhoIsWokenAndLosesItsSocketBeforeItRunsIsToldSo) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket first = udp(on, cancellation, "127.0.0.1");
        UdpSocket second = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        EXPECT_EQ(received(first) + received(second), "");  // and both know that nothing waits
        Wait outcome = Wait::ready;
        Scope scope(on);
        scope.spawn([](UdpSocket& when, UdpSocket& what) -> Task<void> {
            co_await when.readable(Deadline::none);
            what.close();
        }(first, second));
        scope.spawn([](UdpSocket& socket, Wait& out) -> Task<void> { out = co_await socket.readable(Deadline::none); }(
                                                         second, outcome));
        const Datagram datagrams[] = {{.peer = local_address(first.fd()), .local = {}, .bytes = as_bytes("x")},
                                      {.peer = local_address(second.fd()), .local = {}, .bytes = as_bytes("y")}};
        EXPECT_EQ(client.send(datagrams).done, 2U);
        co_await scope.join();
        EXPECT_EQ(outcome, Wait::cancelled);
    }(*loop));
}

TEST(Udp, WhoWaitsForRoomIsToldOfItAndNobodyElse) {
    SystemCalls calls;
    calls.sendto = [](int, const void*, size_t, int, const sockaddr*, socklen_t) -> ssize_t {
        errno = EAGAIN;
        return -1;
    };
    calls.sendmmsg = [](int, mmsghdr*, unsigned, int) {
        errno = EAGAIN;
        return -1;
    };
    VirtualLoop loop(calls);
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        const Datagram datagram{.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes("x")};
        EXPECT_FALSE(client.send_one(datagram.peer, {}, std::array{datagram.bytes}));
        EXPECT_EQ(client.send({&datagram, 1}).done, 0U);
        const Wait waited = co_await client.writable(on.in(1s));
        EXPECT_EQ(waited, Wait::ready);
    }(*loop));
}

TEST(Udp, WhatTheKernelRefusesIsCountedAndTheOthersGo) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        const SocketAddress to = local_address(server.fd());
        const std::string too_long(70'000, 'x');
        const Datagram datagrams[] = {
            {.peer = to, .local = {}, .bytes = as_bytes("a")},
            {.peer = to, .local = {}, .bytes = as_bytes(too_long)},
            {.peer = to, .local = {}, .bytes = as_bytes("b")},
            {.peer = to, .local = *IpAddress::parse("192.0.2.1"), .bytes = as_bytes("not our address")},
            {.peer = to, .local = {}, .bytes = as_bytes("c")},
        };
        const auto sent = client.send(datagrams);
        EXPECT_EQ(sent.done, 5U);
        EXPECT_EQ(sent.failed, 2U);
        EXPECT_EQ(received(server), "a;b;c;");
        co_return;
    }(*loop));
}

TEST(Udp, AFullSocketTakesSomeAndTheOthersLater) {
    static int calls_left;
    SystemCalls calls;
    calls.sendmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
        if (calls_left-- == 0) {
            errno = EAGAIN;
            return -1;
        }
        return ::sendmmsg(fd, messages, std::min(count, 2U), flags);
    };
    VirtualLoop loop(calls);
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = udp(on, cancellation, "127.0.0.1");
        const std::vector<Datagram> datagrams(
            7, {.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes("x")});
        calls_left = 2;
        const auto first = client.send(datagrams);
        EXPECT_EQ(first.done, 4U);
        EXPECT_EQ(first.failed, 0U);
        const auto rest = client.send(std::span(datagrams).subspan(first.done));
        EXPECT_EQ(rest.done, 3U);
        EXPECT_EQ(received(server), "x;x;x;x;x;x;x;");
        co_return;
    }(*loop));
}

TEST(Udp, AnIcmpErrorOfOnePeerIsNothingToTheOthers) {
    static int error_at;
    SystemCalls calls;
    calls.recvmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
        if (--error_at == 0) {
            errno = ECONNREFUSED;
            return -1;
        }
        return ::recvmmsg(fd, messages, count, flags, timeout);
    };
    calls.sendmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
        if (--error_at == 0) {
            errno = ECONNREFUSED;
            return -1;
        }
        return ::sendmmsg(fd, messages, count, flags);
    };
    for (const int at_call : {0, 1, 2}) {
        SCOPED_TRACE(at_call);
        VirtualLoop loop(calls);
        loop.run([](Loop& on, int when) -> Task<void> {
            Cancellation cancellation;
            UdpSocket server = udp(on, cancellation, "127.0.0.1");
            UdpSocket client = udp(on, cancellation, "127.0.0.1");
            const SocketAddress gone = at("127.0.0.1", port_of(udp(on, cancellation, "127.0.0.1")));
            const Datagram datagrams[] = {{.peer = gone, .local = {}, .bytes = as_bytes("x")},
                                          {.peer = local_address(server.fd()), .local = {}, .bytes = as_bytes("y")}};
            error_at = when;  // 1: the send; 2: the receive; 0: only the real ICMP error of the closed port
            const auto sent = client.send(datagrams);
            EXPECT_EQ(sent.done, 2U);
            EXPECT_EQ(sent.failed, 0U);
            EXPECT_EQ(received(server), "y;");
            const Wait waited = co_await client.writable(on.in(1s));
            EXPECT_EQ(waited, Wait::ready);
            const auto again = client.send(datagrams);
            EXPECT_EQ(again.done, 2U);
            EXPECT_EQ(received(server), "y;");
        }(*loop, at_call));
    }
}

TEST(Udp, SeveralSocketsShareAPortOnlyWhereTheyAskForIt) {
    const Fd first = *bind_udp(at("127.0.0.1"), {.reuse_port = true});
    const SocketAddress same = local_address(first.get());
    EXPECT_TRUE(bind_udp(same, {.reuse_port = true}).has_value());
    const auto alone = bind_udp(same, {});
    ASSERT_FALSE(alone.has_value());
    EXPECT_EQ(alone.error().message,
              "can't listen on " + same.to_string() + ": another program holds it (ss -ltnp shows which)");
}

TEST(Udp, ASocketWithOnePeerHearsNobodyElse) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket stranger = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = *UdpSocket::adopt(on, *connect_udp(at("127.0.0.1", port_of(server))), cancellation);
        const Datagram question{.peer = {}, .local = {}, .bytes = as_bytes("question")};
        EXPECT_EQ(client.send({&question, 1}).done, 1U);
        EXPECT_EQ(received(server), "question;");
        const SocketAddress back = at("127.0.0.1", port_of(client));
        const Datagram lie{.peer = back, .local = {}, .bytes = as_bytes("lie")};
        stranger.send({&lie, 1});
        const Datagram answer{.peer = back, .local = {}, .bytes = as_bytes("answer")};
        server.send({&answer, 1});
        EXPECT_EQ(received(client), "answer;");
        co_return;
    }(*loop));
}

TEST(Udp, KeepsWhatIcmpSaysOfEachPeer) {
    struct Case {
        const char* ip;
        unsigned type, code;  // port unreachable (RFC 792, RFC 4443 section 3.1)
    };
    for (const Case& c : {Case{"127.0.0.1", 3, 3}, Case{"::1", 1, 4}}) {
        SCOPED_TRACE(c.ip);
        VirtualLoop loop;
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            UdpSocket sender = *UdpSocket::adopt(on, *bind_one_udp(at(how.ip)), cancellation);
            sender.keep_icmp();
            EXPECT_FALSE(sender.take_icmp());
            EXPECT_EQ(received(sender), "");  // from now on it is the kernel that says when there is something
            UdpSocket listening = udp(on, cancellation, how.ip);
            UdpSocket closed = udp(on, cancellation, how.ip);
            const SocketAddress gone = at(how.ip, port_of(closed));
            closed.close();
            EXPECT_TRUE(sender.send_one(gone, {}, std::array{as_bytes("anybody there?")}));
            const Wait waited = co_await sender.readable(on.in(1s));
            EXPECT_EQ(waited, Wait::ready);
            EXPECT_EQ(received(sender), "");
            const auto told = sender.take_icmp();
            EXPECT_TRUE(told);
            if (!told) co_return;
            EXPECT_EQ(told->peer, gone);
            EXPECT_EQ(told->type, how.type);
            EXPECT_EQ(told->code, how.code);
            EXPECT_EQ(told->mtu, 0U);
            EXPECT_FALSE(sender.take_icmp());
            // Nobody else suffers.
            EXPECT_TRUE(sender.send_one(at(how.ip, port_of(listening)), {}, std::array{as_bytes("hello")}));
            EXPECT_EQ(received(listening), "hello;");
        }(*loop, c));
    }
}

TEST(Udp, ASocketWithOnePeerIsToldThatItIsGone) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        UdpSocket server = udp(on, cancellation, "127.0.0.1");
        UdpSocket client = *UdpSocket::adopt(on, *connect_udp(at("127.0.0.1", port_of(server))), cancellation);
        server.close();
        const Datagram question{.peer = {}, .local = {}, .bytes = as_bytes("question")};
        client.send({&question, 1});
        EXPECT_EQ(received(client), "");
        EXPECT_TRUE(client.take_refusal());
        EXPECT_FALSE(client.take_refusal());
        co_return;
    }(*loop));
}
