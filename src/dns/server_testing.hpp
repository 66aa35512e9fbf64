// For tests of this room: a whole server on one loop, in virtual time.
#pragma once

#include "dns/name_server_testing.hpp"
#include "dns/server.hpp"
#include "dns/testing.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::dns::testing {

inline SocketAddress at(const char* ip, std::uint16_t port = 0) { return {*IpAddress::parse(ip), port}; }

/// A server on loopback, and clients that ask it from several addresses.
class ServerBench {
public:
    explicit ServerBench(io::Scope& in)
        : scope(in),
          reporter(switches, std::size_t{1} << 16),
          server(scope.loop(), reporter, counters, lookout, {.seed = seed, .tcp_capacity = 8}),
          listener(*io::Acceptor::adopt(scope.loop(), *io::listen_tcp(at("127.0.0.1"), {}), scope.cancellation())) {
        config = office();
        config.dns.clients = networks({"127.0.0.0/24"});
        config.dns_views.clear();
        config.dns_forwards.clear();
        config.dns_records = {record("hq.example.com", {"172.16.0.10"})};
        upstream.emplace(*io::UdpSocket::adopt(scope.loop(), *io::bind_udp(at("127.0.0.1"), {}), scope.cancellation()));
        config.dns.upstream = {{config::parse_dns_upstream(io::local_address(upstream->fd()).to_string()).value(), {}}};
        adopt();
        io::Fd fd = *io::bind_udp(at("0.0.0.0"), {});
        port = io::local_address(fd.get()).port;
        server.add_udp(1, "here", std::move(fd));
    }
    void adopt() { server.adopt({std::make_shared<const Zones>(config, seed), nullptr}); }

    io::Task<void> pause() {
        co_await io::Sleep(scope.loop(), scope.cancellation(), scope.loop().in(std::chrono::milliseconds(5)));
    }

    /// What comes back to a message by UDP; empty: nothing.
    io::Task<std::string> ask(std::string message, const char* from = "127.0.0.1", const char* to = "127.0.0.1") {
        io::UdpSocket client = *io::UdpSocket::adopt(scope.loop(), *io::bind_udp(at(from), {}), scope.cancellation());
        const io::Datagram out{.peer = at(to, port), .local = {}, .bytes = as_bytes(message)};
        client.send({&out, 1});
        co_await pause();
        io::DatagramBatch batch;
        const auto got = client.receive(batch);
        if (!got.empty()) EXPECT_EQ(got.front().peer, at(to, port)) << "the answer comes from where it was asked";
        co_return got.empty() ? std::string() : std::string(as_text(got.front().bytes));
    }

    /// Answers what waits at the upstream with this address.
    void answer_upstream() {
        io::DatagramBatch batch;
        for (const io::Datagram& datagram : upstream->receive(batch)) {
            const std::string said = address_for(std::string(as_text(datagram.bytes))).front();
            const io::Datagram out{.peer = datagram.peer, .local = {}, .bytes = as_bytes(said)};
            upstream->send({&out, 1});
        }
    }

    /// A client's connection; the server has the other end.
    io::Stream connect(const char* from = "127.0.0.1") {
        auto [near, far] = io::testing::socket_pair();
        server.take("here", {std::move(far), at(from, 50000)});
        return *io::Stream::adopt(scope.loop(), std::move(near), scope.cancellation());
    }

    std::uint64_t ended(telemetry::Reason reason) const {
        const auto& numbers = counters.numbers().of(telemetry::Protocol::dns).ended;
        return numbers[0][telemetry::index(reason)].value() + numbers[1][telemetry::index(reason)].value();
    }

    io::Scope& scope;
    telemetry::RecordSwitches switches;
    telemetry::Reporter reporter;
    telemetry::LoopCounters counters;
    guard::Lookout lookout;
    Server server;
    io::Acceptor listener;
    config::Config config;
    std::optional<io::UdpSocket> upstream;
    std::uint16_t port = 0;
};

/// Runs a test's story with a server, and ends it.
template <class Story>
void tell_server_story(Story story) {
    io::testing::VirtualLoop loop;
    loop.run([](io::Loop& on, Story told) -> io::Task<void> {
        io::Scope scope(on);
        ServerBench bench(scope);
        co_await told(bench);
        co_await bench.server.finish();
        scope.cancel();
        co_await scope.join();
    }(*loop, story));
}

/// "NOERROR=172.16.0.10", "REFUSED", "nothing".
inline std::string told(std::string_view answer) {
    if (answer.empty()) return "nothing";
    const auto header = read_header(as_bytes(answer));
    const auto response = read_response(as_bytes(answer));
    if (!response) return header ? rcode_name(header->flags & flag::rcode) + " alone" : "garbage";
    std::string out = rcode_name(response->header.flags & flag::rcode);
    if (response->header.has(flag::truncated)) out += " cut";
    RecordReader records(as_bytes(answer), response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->type != type::a) continue;
        out += '=' + IpAddress::v4(*ByteReader(as_bytes(answer).subspan(record->rdata, 4)).u32()).to_string();
    }
    return out;
}

}  // namespace sallyport::dns::testing
