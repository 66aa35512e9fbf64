#include "io/udp_burst.hpp"

#include "io/sockets.hpp"
#include "io/testing.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using io::testing::VirtualLoop;
using ::testing::ElementsAre;

namespace {

SocketAddress at(const char* ip, std::uint16_t port = 0) { return {*IpAddress::parse(ip), port}; }

// What the kernel was asked to do, each time.
struct Calls {
    static inline int whole;         // datagrams sent by sendto
    static inline int segmented;     // bursts sent by sendmmsg
    static inline int refusal;       // errno of every burst; 0: they pass
    static const SystemCalls& counting(int refuse_with = 0) {
        whole = segmented = 0;
        refusal = refuse_with;
        static SystemCalls calls;
        calls.sendto = [](int fd, const void* from, size_t size, int flags, const sockaddr* to, socklen_t length) {
            ++whole;
            return send_to_directly(fd, from, size, flags, to, length);
        };
        calls.sendmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
            ++segmented;
            errno = refusal;
            return refusal != 0 ? -1 : send_many_directly(fd, messages, count, flags);
        };
        return calls;
    }
};

// Two sockets that receive, one that sends to them; loopback delivers within the send.
struct Sockets {
    VirtualLoop loop;
    Cancellation cancellation;
    UdpSocket sender, one, other;
    UdpBurst burst;

    explicit Sockets(const SystemCalls& calls = Calls::counting(), const char* ip = "127.0.0.1")
        : loop(calls), sender(open(ip)), one(open(ip)), other(open(ip)) {}

    UdpSocket open(const char* ip) { return *UdpSocket::adopt(*loop, *bind_udp(at(ip), {}), cancellation); }
    void send(UdpSocket& to, std::size_t size, char with) {
        const std::string text(size - 1, with);
        burst.send_one(sender, local_address(to.fd()), {}, std::array{as_bytes("."), as_bytes(text)});
    }
    std::vector<std::string> received(UdpSocket& socket) {
        std::vector<std::string> out;
        for (;;) {
            DatagramBatch batch;
            const auto got = socket.receive(batch);
            if (got.empty()) return out;
            for (const Datagram& datagram : got) {
                EXPECT_EQ(datagram.peer, local_address(sender.fd()));
                const std::string text(as_text(datagram.bytes));
                out.push_back(text.substr(text.size() - 1) + std::to_string(text.size()));
            }
        }
    }
};

}  // namespace

TEST(UdpBurst, LeavesByOneCallAndArrivesAsTheDatagramsThatItWas) {
    for (const char* const ip : {"127.0.0.1", "::1"}) {
        Sockets sockets(Calls::counting(), ip);
        for (const char with : {'a', 'b', 'c'}) sockets.send(sockets.one, 100, with);
        sockets.send(sockets.one, 40, 'd');
        EXPECT_EQ(Calls::segmented + Calls::whole, 0);
        sockets.burst.flush();
        sockets.burst.flush();
        EXPECT_EQ(Calls::segmented, 1);
        EXPECT_EQ(Calls::whole, 0);
        EXPECT_THAT(sockets.received(sockets.one), ElementsAre("a100", "b100", "c100", "d40"));
    }
}

TEST(UdpBurst, EndsWithOneThatIsShorterLongerOrForSomebodyElse) {
    Sockets sockets;
    sockets.send(sockets.one, 100, 'a');
    sockets.send(sockets.one, 40, 'b');
    sockets.send(sockets.one, 40, 'c');
    sockets.send(sockets.one, 100, 'd');
    sockets.send(sockets.other, 100, 'e');
    sockets.send(sockets.one, 100, 'f');
    sockets.burst.flush();
    EXPECT_EQ(Calls::segmented, 1);
    EXPECT_EQ(Calls::whole, 4);
    EXPECT_THAT(sockets.received(sockets.one), ElementsAre("a100", "b40", "c40", "d100", "f100"));
    EXPECT_THAT(sockets.received(sockets.other), ElementsAre("e100"));
}

TEST(UdpBurst, GathersNothingThatIsEmptyOrLongerThanAFrame) {
    Sockets sockets;
    sockets.send(sockets.one, 100, 'a');
    sockets.burst.send_one(sockets.sender, local_address(sockets.one.fd()), {}, {});
    sockets.send(sockets.one, UdpBurst::largest + 1, 'b');
    sockets.send(sockets.one, 1, 'c');
    EXPECT_EQ(Calls::whole, 3);
    sockets.burst.flush();
    EXPECT_EQ(Calls::whole, 4);
    EXPECT_EQ(Calls::segmented, 0);
}

TEST(UdpBurst, HoldsNoMoreThanTheKernelTakesAtATime) {
    for (const std::size_t size : {std::size_t{2}, std::size_t{200}, UdpBurst::largest}) {
        Sockets sockets;
        for (unsigned i = 0; i < 150; ++i) sockets.send(sockets.one, size, 'a');
        sockets.burst.flush();
        EXPECT_EQ(Calls::segmented, size == UdpBurst::largest ? 4 : 3);
        EXPECT_EQ(Calls::whole, 0);
        EXPECT_GE(sockets.received(sockets.one).size(), 50U) << size;  // the others did not fit its buffer
    }
}

TEST(UdpBurst, ThatTheKernelRefusesLeavesOneByOneAndItsLikeFromThenOn) {
    struct Case {
        int error;
        int tried;  // twice each, for the first error may be an earlier datagram's
        int whole;
        std::size_t arrived;
    };
    for (const Case& c : {Case{EINVAL, 4, 6, 6}, Case{EMSGSIZE, 4, 6, 6}, Case{EIO, 2, 6, 6}, Case{EAGAIN, 3, 0, 0},
                          Case{EPERM, 6, 0, 0}}) {
        Sockets sockets(Calls::counting(c.error));
        for (const std::size_t size : {std::size_t{100}, std::size_t{100}, std::size_t{60}}) {
            for (const char with : {'a', 'b'}) sockets.send(sockets.one, size, with);
            sockets.burst.flush();
        }
        EXPECT_EQ(Calls::segmented, c.tried) << c.error;
        EXPECT_EQ(Calls::whole, c.whole) << c.error;
        EXPECT_EQ(sockets.received(sockets.one).size(), c.arrived) << c.error;
    }
}

TEST(UdpBurst, ComesFromTheAddressThatIsAskedFor) {
    Sockets sockets(Calls::counting(), "0.0.0.0");
    const SocketAddress to = at("127.0.0.1", local_address(sockets.one.fd()).port);
    for (const char* const from : {"127.0.0.2", "127.0.0.2", "127.0.0.3"})
        sockets.burst.send_one(sockets.sender, to, *IpAddress::parse(from), std::array{as_bytes("text")});
    sockets.burst.flush();
    DatagramBatch batch;
    std::vector<std::string> from;
    for (const Datagram& datagram : sockets.one.receive(batch)) from.push_back(datagram.peer.ip.to_string());
    EXPECT_THAT(from, ElementsAre("127.0.0.2", "127.0.0.2", "127.0.0.3"));
}
