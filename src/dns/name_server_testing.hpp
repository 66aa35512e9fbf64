// For tests of this room: a name server on a port of loopback that says whatever a test wants it to.
#pragma once

#include "dns/answers_testing.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/stream.hpp"
#include "io/udp.hpp"

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::dns::testing {

/// A port of loopback that is free for UDP and TCP alike: other programs hold some of either.
inline std::pair<io::Fd, io::Fd> free_pair() {
    const SocketAddress any{*IpAddress::parse("127.0.0.1"), 0};
    std::vector<io::Fd> held;  // so that no try is made again with the same port
    for (int tries = 0; tries < 100; ++tries) {
        io::Fd tcp = io::listen_tcp(any, {}).value();
        if (auto udp = io::bind_udp(io::local_address(tcp.get()), {})) return {std::move(*udp), std::move(tcp)};
        held.push_back(std::move(tcp));
    }
    throw std::runtime_error("no free port");
}

class NameServer {
public:
    /// What is said to a question: any messages, in this order.
    using Say = std::function<std::vector<std::string>(const std::string& query)>;

    /// @param tcp  none: nobody listens by TCP
    NameServer(io::Scope& scope, Say udp, Say tcp = {}) : scope_(scope), udp_(std::move(udp)), tcp_(std::move(tcp)) {
        auto [udp_port, tcp_port] = free_pair();
        address_ = io::local_address(udp_port.get());
        socket_.emplace(*io::UdpSocket::adopt(scope.loop(), std::move(udp_port), scope.cancellation()));
        if (tcp_) {
            acceptor_.emplace(*io::Acceptor::adopt(scope.loop(), std::move(tcp_port), scope.cancellation()));
            scope.spawn(serve_tcp());
        }
        scope.spawn(serve_udp());
    }

    std::string address() const { return address_.to_string(); }
    int udp_questions = 0, tcp_questions = 0, connections = 0;
    std::set<std::uint16_t> ports;
    std::vector<std::string> heard;  // by UDP
    Duration delay{};                // of each answer by UDP
    bool hangs_up = false;           // instead of an answer by TCP
    int answers_a_connection = 1000;

private:
    io::Task<void> serve_udp() {
        io::DatagramBatch batch;
        while (co_await socket_->readable(io::Deadline::none) == io::Wait::ready) {
            for (const io::Datagram& datagram : socket_->receive(batch)) {
                ++udp_questions;
                ports.insert(datagram.peer.port);
                heard.emplace_back(as_text(datagram.bytes));
                if (delay == Duration{})
                    send(datagram.peer, udp_(heard.back()));
                else
                    scope_.spawn(send_later(datagram.peer, udp_(heard.back()), scope_.loop().in(delay)));
            }
        }
    }
    io::Task<void> send_later(SocketAddress peer, std::vector<std::string> answers, io::Deadline when) {
        const io::Wait waited = co_await io::Sleep(scope_.loop(), scope_.cancellation(), when);
        if (waited == io::Wait::timeout) send(peer, answers);
    }
    void send(const SocketAddress& peer, const std::vector<std::string>& answers) {
        for (const std::string& answer : answers) {
            const io::Datagram out{.peer = peer, .local = {}, .bytes = as_bytes(answer)};
            socket_->send({&out, 1});
        }
    }
    io::Task<void> serve_tcp() {
        while (co_await acceptor_->readable(io::Deadline::none) == io::Wait::ready) {
            while (auto accepted = acceptor_->accept()) {
                ++connections;
                scope_.spawn(talk(*io::Stream::adopt(scope_.loop(), std::move(accepted->fd), scope_.cancellation())));
            }
        }
    }
    io::Task<void> talk(io::Stream stream) {
        std::string in;
        int left = answers_a_connection;
        for (;;) {
            std::array<std::byte, 4096> room;
            const io::Got got = co_await stream.read_some(room, io::Deadline::none);
            if (got.io != io::Io::ok) co_return;
            in += as_text(Bytes(room).first(got.bytes));
            while (in.size() >= 2) {
                const std::size_t size = *ByteReader(as_bytes(in)).u16();
                if (in.size() < 2 + size) break;
                ++tcp_questions;
                if (hangs_up || left-- == 0) co_return;
                for (const std::string& answer : tcp_(in.substr(2, size))) {
                    std::array<std::byte, 2> length;
                    ByteWriter(length).u16(static_cast<std::uint16_t>(answer.size()));
                    stream.write(length);
                    for (const char octet : answer) stream.write(as_bytes(std::string_view(&octet, 1)));
                }
                in.erase(0, 2 + size);
            }
        }
    }

    io::Scope& scope_;
    Say udp_, tcp_;
    SocketAddress address_;
    std::optional<io::UdpSocket> socket_;
    std::optional<io::Acceptor> acceptor_;
};

inline std::uint16_t id_of(std::string_view message) { return *ByteReader(as_bytes(message)).u16(); }

/// An answer with one address, for five minutes.
inline std::vector<std::string> address_for(const std::string& query, const char* address = "C0000207") {
    const std::string question = question_of(query);
    const Name name = Name::from_wire(as_bytes(question).first(question.size() - 4)).value();
    const std::string text = name.to_string();
    return {answer({.question = question, .id = id_of(query), .answers = {{text, type::a, 300, octets(address)}}})};
}

/// An answer without records.
inline std::vector<std::string> flags_for(const std::string& query, std::uint16_t flags) {
    return {answer({.question = question_of(query), .id = id_of(query), .flags = flags})};
}

inline std::vector<std::string> code_for(const std::string& query, std::uint16_t rcode) {
    return flags_for(query, static_cast<std::uint16_t>(0x8180 | rcode));
}

inline std::vector<std::string> silence(const std::string&) { return {}; }

}  // namespace sallyport::dns::testing
