// The self-test over DTLS, against a server of STUN in the same loop, whose time is virtual.
#include "turn/trial.hpp"

#include "io/dtls.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/testing.hpp"
#include "io/testing_certificates.hpp"
#include "io/udp.hpp"
#include "wire/stun/message.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::turn {
namespace {

using io::testing::VirtualLoop;

const SocketAddress loopback{*IpAddress::parse("127.0.0.1"), 0};

struct Case {
    const char* holds = "127.0.0.1";  // what its certificate is for
    std::chrono::seconds ends{3600};
    std::size_t deaf_to = 0;  // datagrams from the first on
    std::string problem{};
};

// One client's server: a Binding is answered with its address.
class Server {
public:
    Server(io::Loop& loop, const Case& how)
        : socket_(*io::UdpSocket::adopt(loop, *io::bind_udp(loopback, {}), cancellation_)), deaf_to_(how.deaf_to) {
        const auto certificate = authority_.issue({.ip_names = {*IpAddress::parse(how.holds)}, .ends = how.ends});
        dtls_ = *io::DtlsServer::create(std::vector{certificate}, {});
    }
    SocketAddress address() const { return io::local_address(socket_.fd()); }
    std::string ca() const { return authority_.pem(); }
    void stop() { cancellation_.request(); }

    io::Task<void> run() {
        io::DatagramBatch batch;
        for (;;) {
            const io::Wait waited = co_await socket_.readable(io::Deadline::none);
            if (waited != io::Wait::ready) co_return;
            for (const io::Datagram& one : socket_.receive(batch)) {
                if (deaf_to_ == 0)
                    take(one);
                else
                    --deaf_to_;
            }
        }
    }

private:
    void take(const io::Datagram& datagram) {
        const io::DtlsSession::Send send = [&](Bytes bytes) {
            const io::Datagram answer{.peer = datagram.peer, .local = datagram.local, .bytes = bytes};
            socket_.send({&answer, 1});
        };
        const bool is_known = session_ != nullptr;
        if (!is_known) session_ = dtls_->accept(datagram.bytes, datagram.peer, send);
        if (session_ == nullptr) return;
        session_->receive(is_known ? datagram.bytes : Bytes{}, send,
                          [&](Bytes request) { answer(request, datagram.peer, send); });
    }
    void answer(Bytes request, const SocketAddress& client, const io::DtlsSession::Send& send) {
        std::array<std::byte, 100> room;
        const auto message = stun::read_message(request);
        stun::MessageWriter writer(room, stun::Class::success, stun::Method::binding, message->transaction());
        writer.add_address(stun::Attribute::xor_mapped_address, client);
        session_->write(*writer.finish(), send);
    }

    io::testing::Authority authority_{"Test CA"};
    io::Cancellation cancellation_;
    io::UdpSocket socket_;
    std::shared_ptr<io::DtlsServer> dtls_;
    std::unique_ptr<io::DtlsSession> session_;
    std::size_t deaf_to_;
};

SelfTest test_of(const SocketAddress& server, std::vector<std::string> ca_pems = {}) {
    return {.server = server,
            .transport = Transport::dtls,
            .relays = false,
            .host = "127.0.0.1",
            .user = {},
            .password = {},
            .dtls = *io::DtlsClient::create({.ca_pems = std::move(ca_pems)})};
}

io::Task<void> ask(io::Loop& loop, Server& server, SelfTested& out) {
    out = co_await test_server(loop, test_of(server.address(), {server.ca()}));
    server.stop();
}

io::Task<void> serve_and_ask(io::Loop& loop, const Case& how, SelfTested& out) {
    Server server(loop, how);
    io::Scope scope(loop);
    scope.spawn(server.run());
    co_await ask(loop, server, out);
    co_await scope.join();
}

TEST(Trial, GoesByDtlsAndSaysWhatIsWrong) {
    constexpr std::size_t everything = 1000;
    for (const Case& how : {
             Case{},
             Case{.holds = "127.0.0.2", .problem = "DTLS: IP address mismatch"},
             Case{.ends = std::chrono::seconds(-60), .problem = "DTLS: certificate has expired"},
             Case{.deaf_to = everything, .problem = "DTLS: no answer"},
         }) {
        VirtualLoop loop;
        SelfTested tested;
        loop.run(serve_and_ask(*loop, how, tested));
        EXPECT_EQ(tested.problem, how.problem);
        EXPECT_EQ(tested.mapped.has_value(), how.problem.empty());
        if (tested.mapped) EXPECT_EQ(tested.mapped->ip, loopback.ip);
    }
}

SelfTest by_udp(const SocketAddress& server) {
    return {.server = server, .transport = Transport::udp, .relays = false, .host = {}, .user = {}, .password = {}};
}

SelfTest by_dtls(const SocketAddress& server) { return test_of(server); }

io::Task<void> ask_nobody(io::Loop& loop, SelfTest (*test)(const SocketAddress&), SelfTested& out) {
    SocketAddress nobody;
    {
        const io::Fd gone = *io::bind_udp(loopback, {});
        nobody = io::local_address(gone.get());
    }
    out = co_await test_server(loop, test(nobody));
}

TEST(Trial, IsToldWhereNobodyListens) {
    for (const auto& [test, problem] :
         {std::pair{&by_dtls, "no connection: refused"}, {&by_udp, "Binding: refused, nobody listens there"}}) {
        VirtualLoop loop;
        SelfTested tested;
        loop.run(ask_nobody(*loop, test, tested));
        EXPECT_EQ(tested.problem, problem);
    }
}

// Answers the second datagram as if it were the first: by what the first one was, on a way that takes longer than the
// client waits.
io::Task<void> answer_late(io::UdpSocket& socket) {
    io::DatagramBatch batch;
    std::optional<stun::TransactionId> first;
    for (;;) {
        const io::Wait waited = co_await socket.readable(io::Deadline::none);
        if (waited != io::Wait::ready) co_return;
        for (const io::Datagram& one : socket.receive(batch)) {
            if (!first) {
                first = stun::read_message(one.bytes)->transaction();
                continue;
            }
            std::array<std::byte, 100> room;
            stun::MessageWriter writer(room, stun::Class::success, stun::Method::binding, *first);
            writer.add_address(stun::Attribute::xor_mapped_address, one.peer);
            const io::Datagram answer{.peer = one.peer, .local = one.local, .bytes = *writer.finish()};
            socket.send({&answer, 1});
        }
    }
}

io::Task<void> ask_late(io::Loop& loop, SelfTested& out) {
    io::Cancellation cancellation;
    io::UdpSocket socket = *io::UdpSocket::adopt(loop, *io::bind_udp(loopback, {}), cancellation);
    io::Scope scope(loop);
    scope.spawn(answer_late(socket));
    out = co_await test_server(loop, by_udp(io::local_address(socket.fd())));
    cancellation.request();
    co_await scope.join();
}

TEST(Trial, TakesAnAnswerThatComesAfterItHasAskedAgain) {
    VirtualLoop loop;
    SelfTested tested;
    loop.run(ask_late(*loop, tested));
    EXPECT_EQ(tested.problem, "");
    EXPECT_TRUE(tested.mapped);
}

}  // namespace
}  // namespace sallyport::turn
