// The server with real sockets on loopback and virtual time.
#include "turn/turn_loop.hpp"

#include "io/testing.hpp"
#include "turn/requester.hpp"
#include "turn/world_testing.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::turn {
namespace {

using namespace testing;

struct Bench {
    io::testing::VirtualLoop loop;
    telemetry::RecordSwitches switches;
    telemetry::Reporter reporter{switches, std::size_t{64} * 1024};
    telemetry::LoopCounters counters;
    guard::Lookout guard;
    std::unique_ptr<Shared> shared = std::make_unique<Shared>();
    TurnLoop turn{*loop, reporter, counters, guard, *shared, make_settings()};
    io::Cancellation cancellation;
    SocketAddress door;

    Bench() {
        auto socket = *io::bind_udp({*IpAddress::parse("127.0.0.1"), 0}, {});
        door = io::local_address(socket.get());
        turn.add({.id = 1, .address = "door", .own = door, .relays = true}, std::move(socket));
    }
    io::UdpSocket socket_to(const SocketAddress& server) {
        return *io::UdpSocket::adopt(*loop, *io::connect_udp(server), cancellation);
    }
};

void send(io::UdpSocket& socket, Bytes bytes) {
    const io::Datagram datagram{.peer = {}, .local = {}, .bytes = bytes};
    EXPECT_EQ(socket.send({&datagram, 1}).done, 1U);
}

// What has come when nothing more does.
io::Task<std::vector<std::string>> all_that_comes(io::Loop& loop, io::UdpSocket& socket) {
    io::DatagramBatch batch;
    std::vector<std::string> out;
    for (;;) {
        const io::Wait waited = co_await socket.readable(loop.in(100ms));
        if (waited != io::Wait::ready) co_return out;
        for (const io::Datagram& one : socket.receive(batch)) out.emplace_back(as_text(one.bytes));
    }
}

// Its token; the port behind its relay is kept.
io::Task<std::string> reserve(Bench& bench, io::UdpSocket& socket, Requester& requester) {
    const auto even = [](stun::MessageWriter& writer) {
        writer.add_u32(Attribute::requested_transport, 17U << 24);
        writer.add(Attribute::even_port, "\x80");
    };
    for (int tries = 0; tries < 2; ++tries) {
        send(socket, requester.request(Method::allocate, even));
        const auto answers = co_await all_that_comes(*bench.loop, socket);
        if (answers.size() != 1) break;
        requester.take(as_bytes(answers[0]));
        const Response answer(answers[0]);
        if (answer.is_success()) co_return std::string(answer.message.text(Attribute::reservation_token));
    }
    co_return "";
}

io::Task<void> ask_beside_a_relay_that_has_received(Bench& bench) {
    constexpr std::size_t others = 5;
    io::UdpSocket rtp = bench.socket_to(bench.door), rtcp = bench.socket_to(bench.door),
                  other = bench.socket_to(bench.door);
    Requester first("alice", "secret"), second("alice", "secret"), stranger("", "");
    const std::string token = co_await reserve(bench, rtp, first);
    EXPECT_EQ(token.size(), 8U);
    const auto kept = bench.shared->reservations.take(ByteReader(as_bytes(token)).u64().value_or(0), bench.loop->now());
    EXPECT_TRUE(kept);
    if (!kept) co_return;
    io::UdpSocket peer = bench.socket_to(kept->own);
    for (std::size_t i = 0; i < io::DatagramBatch::capacity; ++i) send(peer, as_bytes("early"));
    // To be used again, by the same token.
    const auto again = bench.shared->reservations.keep(kept->own, kept->socket, kept->user, bench.loop->now());
    const auto by_token = [&](stun::MessageWriter& writer) {
        std::array<std::byte, 8> bytes;
        ByteWriter(bytes).u64(again.value_or(0));
        writer.add_u32(Attribute::requested_transport, 17U << 24);
        writer.add(Attribute::reservation_token, Bytes(bytes));
    };
    send(rtcp, second.request(Method::allocate, by_token));
    const auto challenge = co_await all_that_comes(*bench.loop, rtcp);
    second.take(as_bytes(challenge.at(0)));
    // All of these come in one batch.
    send(rtcp, second.request(Method::allocate, by_token));
    for (std::size_t i = 0; i < others; ++i) send(other, stranger.binding());
    const auto answers = co_await all_that_comes(*bench.loop, other);
    EXPECT_EQ(answers.size(), others);
    EXPECT_EQ(bench.turn.server().allocations(), 2U);
    co_await bench.turn.finish(bench.loop->in(0s));
}

TEST(TurnLoop, ReadsNoRelayInTheMidstOfABatchOfItsClients) {
    Bench bench;
    bench.loop.run(ask_beside_a_relay_that_has_received(bench));
}

}  // namespace
}  // namespace sallyport::turn
