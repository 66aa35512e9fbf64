#include "generator/client.hpp"

#include <sys/epoll.h>

#include <cerrno>
#include <cstring>

#include "generator/http_text.hpp"

namespace sallyport::bench {

namespace {

constexpr unsigned source_addresses = 16;

SocketAddress source_for(const SocketAddress& target, unsigned number) {
    constexpr std::uint32_t first = 0x7f000002;  // 127.0.0.2
    if (target.ip.is_v4() && target.ip.is_loopback()) return {IpAddress::v4(first + number % source_addresses), 0};
    return {target.ip.is_v4() ? IpAddress::v4(0) : IpAddress{}, 0};
}

}  // namespace

void Client::connect() {
    partial_.clear();
    unsent_ = {};
    ending_ = false;
    state_ = State::connecting;
    if (!stream_.connect(ground_.options.target, source_for(ground_.options.target, number_)) ||
        !stream_.watch(ground_.loop, *this)) {
        fail(Fault::connect, std::string("connect: ") + std::strerror(errno));
    }
}

void Client::on_ready(std::uint32_t events) {
    if (state_ == State::closed) return;
    if (state_ == State::connecting) {
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) connected();
        return;
    }
    if ((events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) ending_ = true;
    if (state_ == State::handshake) return handshake();
    if ((events & EPOLLOUT) != 0) flush();
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0) {
        if (state_ == State::opening) read_opening();
        if (state_ == State::open) readable();
    }
    if (state_ == State::open && (events & EPOLLOUT) != 0) writable();
}

void Client::connected() {
    if (const int error = stream_.connect_error(); error != 0) {
        return fail(Fault::connect, std::string("connect: ") + std::strerror(error));
    }
    if (ground_.tls == nullptr) return send_opening();
    stream_.start_tls(*ground_.tls, ground_.options.host.c_str());
    state_ = State::handshake;
    handshake();
}

void Client::handshake() {
    const Io io = stream_.handshake();
    if (io.kind == Io::Kind::again) return;
    if (io.kind != Io::Kind::done) return fail(Fault::handshake, "the TLS handshake failed");
    if (stream_.offered_session() && !stream_.resumed()) return fail(Fault::handshake, "the session was not resumed");
    send_opening();
}

void Client::send_opening() {
    if (opening().empty()) {
        state_ = State::open;
        return opened();
    }
    state_ = State::opening;
    send(opening());
}

void Client::read_opening() {
    while (state_ == State::opening) {
        // A head is small; the rest of the stream stays in the socket for its reader.
        const Io io = stream_.read(std::span(ground_.buffer).first(512));
        if (io.kind == Io::Kind::again) return;
        if (io.kind != Io::Kind::done) return fail(Fault::early_close, "closed before the opening was answered");
        partial_.append(ground_.buffer.data(), io.bytes);
        const std::size_t size = ground_.dialogue.welcome.empty() ? head_size() : welcome_size();
        if (size == 0) continue;
        partial_.erase(0, size);
        state_ = State::open;
        opened();
    }
}

std::size_t Client::head_size() {
    const auto head = read_head(partial_);
    if (!head) return 0;
    const int expected = ground_.options.carrier == Carrier::tunnel ? 101 : 200;
    if (head->status == expected) return head->size;
    fail(Fault::refused, "opening: " + std::string(head->start_line));
    return 0;
}

std::size_t Client::welcome_size() {
    const std::string_view expected = ground_.dialogue.welcome;
    if (partial_.starts_with(expected)) return expected.size();
    if (!expected.starts_with(partial_)) fail(Fault::refused, "opening: its answer did not come as it was sent");
    return 0;
}

void Client::send(std::string_view bytes) {
    unsent_ = bytes;
    flush();
}

void Client::flush() {
    while (!unsent_.empty()) {
        const Io io = stream_.write(unsent_);
        if (io.kind == Io::Kind::again) return;
        // The reading side tells what became of the connection; it may still hold an answer (a refusal, say).
        if (io.kind == Io::Kind::failed) unsent_ = {};
        unsent_.remove_prefix(io.bytes);
    }
}

void Client::fail(Fault fault, std::string detail) {
    ground_.tally.fault(fault, std::move(detail));
    hang_up();
    died();
}

void Client::hang_up() {
    stream_.close();
    state_ = State::closed;
}

}  // namespace sallyport::bench
