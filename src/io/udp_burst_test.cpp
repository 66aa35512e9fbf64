#include "io/udp_burst.hpp"

#include "io/sockets.hpp"
#include "io/testing.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
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
    static inline int whole;  // datagrams sent by sendto
    static inline int many;  // calls of sendmmsg
    static inline std::vector<std::size_t> pieces;  // bytes of each message of these
    static inline int refusal;  // errno for every message that is to be cut up; 0: they pass
    static const SystemCalls& counting(int refuse_with = 0) {
        whole = many = 0;
        pieces.clear();
        refusal = refuse_with;
        static SystemCalls calls;
        calls.sendto = [](int fd, const void* from, size_t size, int flags, const sockaddr* to, socklen_t length) {
            ++whole;
            return send_to_directly(fd, from, size, flags, to, length);
        };
        calls.sendmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
            ++many;
            const auto is_refused = [](const mmsghdr& one) {
                return refusal != 0 && one.msg_hdr.msg_control != nullptr;
            };
            const auto pass = static_cast<unsigned>(std::ranges::find_if(std::span(messages, count), is_refused) -
                                                    std::span(messages, count).begin());
            errno = refusal;
            const int sent = pass == 0 ? -1 : send_many_directly(fd, messages, pass, flags);
            for (const mmsghdr& one : std::span(messages, static_cast<unsigned>(std::max(sent, 0))))
                pieces.push_back(one.msg_len);
            return sent;
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
        EXPECT_EQ(Calls::many + Calls::whole, 0);
        sockets.burst.flush();
        sockets.burst.flush();
        EXPECT_EQ(Calls::many, 1);
        EXPECT_EQ(Calls::whole, 0);
        EXPECT_THAT(sockets.received(sockets.one), ElementsAre("a100", "b100", "c100", "d40"));
    }
}

TEST(UdpBurst, IsCutUpByTheKernelWhereOnlyTheLastOneToAPlaceIsShorter) {
    Sockets sockets;
    sockets.send(sockets.one, 100, 'a');
    sockets.send(sockets.one, 40, 'b');
    sockets.send(sockets.one, 40, 'c');
    sockets.send(sockets.one, 100, 'd');
    sockets.send(sockets.other, 100, 'e');
    sockets.send(sockets.one, 100, 'f');
    sockets.burst.flush();
    EXPECT_EQ(Calls::many, 1);
    EXPECT_EQ(Calls::whole, 0);
    EXPECT_THAT(Calls::pieces, ElementsAre(140, 40, 200, 100));
    EXPECT_THAT(sockets.received(sockets.one), ElementsAre("a100", "b40", "c40", "d100", "f100"));
    EXPECT_THAT(sockets.received(sockets.other), ElementsAre("e100"));
}

TEST(UdpBurst, LeavesByOneCallForEachSocketThatSends) {
    Sockets sockets;
    UdpSocket second = sockets.open("127.0.0.1");
    for (const char with : {'a', 'b', 'c'}) {
        sockets.send(sockets.one, 10, with);
        for (UdpSocket* const to : {&sockets.one, &sockets.other})
            sockets.burst.send_one(second, local_address(to->fd()), {}, std::array{as_bytes("second")});
    }
    sockets.burst.flush();
    EXPECT_EQ(Calls::many, 2);
    EXPECT_EQ(Calls::whole, 0);
    EXPECT_THAT(Calls::pieces, ElementsAre(30, 18, 18));
    DatagramBatch batch;
    EXPECT_EQ(sockets.other.receive(batch).size(), 3U);
    const auto at_one = sockets.one.receive(batch);
    EXPECT_EQ(at_one.size(), 6U);
    for (const Datagram& datagram : at_one) {
        const UdpSocket& from = as_text(datagram.bytes) == "second" ? second : sockets.sender;
        EXPECT_EQ(datagram.peer, local_address(from.fd()));
    }
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
    EXPECT_EQ(Calls::many, 0);
}

TEST(UdpBurst, HoldsNoMoreThanTheKernelTakesAtATime) {
    for (const std::size_t size : {std::size_t{2}, std::size_t{200}, UdpBurst::largest}) {
        Sockets sockets;
        for (unsigned i = 0; i < 150; ++i) sockets.send(sockets.one, size, 'a');
        sockets.burst.flush();
        EXPECT_EQ(Calls::many, size == UdpBurst::largest ? 4 : 3);
        EXPECT_EQ(Calls::whole, 0);
        EXPECT_GE(sockets.received(sockets.one).size(), 50U) << size;  // the others did not fit its buffer
    }
}

TEST(UdpBurst, ThatTheKernelRefusesLeavesOneByOneAndItsLikeFromThenOn) {
    struct Case {
        int error;
        int calls;  // twice what is refused, for the first error may be an earlier datagram's
        std::size_t arrived;
    };
    for (const Case& c :
         {Case{EINVAL, 7, 6}, Case{EMSGSIZE, 7, 6}, Case{EIO, 5, 6}, Case{EAGAIN, 3, 0}, Case{EPERM, 6, 0}}) {
        Sockets sockets(Calls::counting(c.error));
        for (const std::size_t size : {std::size_t{100}, std::size_t{100}, std::size_t{60}}) {
            for (const char with : {'a', 'b'}) sockets.send(sockets.one, size, with);
            sockets.burst.flush();
        }
        EXPECT_EQ(Calls::many, c.calls) << c.error;
        EXPECT_EQ(sockets.received(sockets.one).size(), c.arrived) << c.error;
    }
}

TEST(UdpBurst, LosesNothingButWhatTheKernelRefuses) {
    for (const int error : {EINVAL, EPERM}) {
        Sockets sockets(Calls::counting(error));
        sockets.send(sockets.other, 10, 'a');
        sockets.send(sockets.one, 20, 'b');
        sockets.send(sockets.one, 20, 'c');
        sockets.send(sockets.other, 30, 'd');
        sockets.burst.flush();
        EXPECT_THAT(sockets.received(sockets.other), ElementsAre("a10", "d30")) << error;
        EXPECT_EQ(sockets.received(sockets.one).size(), error == EINVAL ? 2U : 0U) << error;
    }
}

TEST(UdpBurst, IsLostFromWhereTheSocketIsFull) {
    Sockets sockets(Calls::counting(EAGAIN));
    sockets.send(sockets.other, 10, 'a');
    for (const char with : {'b', 'c'}) sockets.send(sockets.one, 20, with);
    sockets.send(sockets.other, 30, 'd');
    sockets.burst.flush();
    EXPECT_THAT(sockets.received(sockets.other), ElementsAre("a10"));
    EXPECT_EQ(Calls::many, 2);
    sockets.send(sockets.other, 10, 'e');
    sockets.burst.flush();
    EXPECT_THAT(sockets.received(sockets.other), ElementsAre("e10"));
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
