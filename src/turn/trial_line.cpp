#include "turn/trial_line.hpp"

#include "io/sockets.hpp"
#include "wire/stun/framing.hpp"

#include <array>
#include <chrono>
#include <string>
#include <string_view>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr std::array patience{500ms, 1000ms, 2000ms};  // of a datagram, which may be lost (RFC 8489 section 6.2.1)
constexpr Duration stream_patience = 5s;
constexpr Duration handshake_patience = 7s;  // of DTLS: two flights may be lost, after one second and after two more
constexpr Duration between_looks = 500ms;    // at what is to be sent again of a handshake
constexpr std::size_t largest_frame = 4096;  // more is no answer of a server to what is asked here

std::string_view text_of(io::ConnectFailure failure) {
    constexpr std::array<std::string_view, 5> texts{"refused", "no answer", "unreachable", "cancelled",
                                                    "not possible from here"};
    return texts[static_cast<std::size_t>(failure)];
}

}  // namespace

Line::~Line() {
    if (session_ != nullptr) session_->end(sender());
}

io::Task<Result<void>> Line::open() {
    if (is_stream(test_.transport)) co_return co_await open_stream();
    auto opened = open_udp();
    if (!opened || test_.transport != Transport::dtls) co_return opened;
    co_return co_await shake_hands_dtls();
}

Result<void> Line::open_udp() {
    auto fd = io::connect_udp(test_.server);
    if (!fd) return fail(fd.error());
    auto socket = io::UdpSocket::adopt(loop_, std::move(*fd), cancellation_);
    if (!socket) return fail(socket.error());
    socket_.emplace(std::move(*socket));
    return {};
}

io::DtlsSession::Send Line::sender() {
    return [this](Bytes bytes) {
        const io::Datagram datagram{.peer = {}, .local = {}, .bytes = bytes};
        socket_->send({&datagram, 1});
    };
}

io::Task<Result<void>> Line::shake_hands_dtls() {
    const auto nothing_yet = [](Bytes) {};
    session_ = test_.dtls->connect(test_.host);
    session_->receive({}, sender(), nothing_yet);
    const SteadyTime end = loop_.now() + handshake_patience;
    while (session_->state() == io::DtlsSession::State::shaking) {
        if (loop_.now() >= end) co_return fail("DTLS: no answer");
        const io::Wait waited = co_await socket_->readable(loop_.in(between_looks));
        if (waited == io::Wait::cancelled) co_return fail("DTLS: cancelled");
        for (const io::Datagram& one : socket_->receive(batch_)) session_->receive(one.bytes, sender(), nothing_yet);
        if (socket_->take_refusal()) co_return fail("no connection: refused");
        session_->tick(sender());
    }
    if (session_->state() == io::DtlsSession::State::ended) co_return fail("DTLS: " + session_->problem());
    co_return Result<void>{};
}

io::Task<Result<void>> Line::open_stream() {
    auto connected =
        co_await io::connect_tcp(loop_, cancellation_, test_.server, std::nullopt, loop_.in(stream_patience));
    if (!connected) co_return fail("no connection: " + std::string(text_of(connected.error().failure)));
    stream_.emplace(std::move(*connected));
    if (test_.transport != Transport::tls) co_return Result<void>{};
    stream_->attach(test_.tls->connect(test_.host));
    const io::Handshake shaken = co_await io::handshake(*stream_, loop_.in(stream_patience));
    if (shaken.failure == io::TlsFailure::none) co_return Result<void>{};
    co_return fail("TLS: " + (shaken.failure == io::TlsFailure::timeout ? "no answer" : shaken.detail));
}

io::Task<bool> Line::exchange(Bytes bytes, Take take) {
    const std::size_t tries = stream_ ? 1 : patience.size();
    for (std::size_t i = 0; i < tries; ++i) {
        send(bytes);
        const io::Deadline deadline = loop_.in(stream_ ? stream_patience : patience[i]);
        const bool taken = co_await hear(take, deadline);
        if (taken) co_return true;
    }
    co_return false;
}

void Line::send(Bytes bytes) {
    if (session_ != nullptr) return session_->write(bytes, sender());
    if (!stream_) return sender()(bytes);
    stream_->write(bytes);
    const std::vector<std::byte> zeros(stun::padding_after(bytes.size()));
    if (!zeros.empty()) stream_->write(zeros);
}

io::Task<bool> Line::hear(const Take& take, io::Deadline deadline) {
    for (;;) {
        const io::Wait waited = stream_ ? co_await stream_->readable(deadline) : co_await socket_->readable(deadline);
        if (waited != io::Wait::ready) co_return false;
        bool taken = false;
        const bool goes_on = stream_ ? hear_stream(take, taken) : hear_datagrams(take, taken);
        if (taken || !goes_on) co_return taken;
    }
}

bool Line::hear_datagrams(const Take& take, bool& taken) {
    const auto consider = [&](Bytes data) { taken = taken || take(data); };
    for (const io::Datagram& one : socket_->receive(batch_)) {
        if (session_ == nullptr)
            consider(one.bytes);
        else
            session_->receive(one.bytes, sender(), consider);
    }
    was_refused_ = socket_->take_refusal();
    return !was_refused_;
}

bool Line::hear_stream(const Take& take, bool& taken) {
    std::array<std::byte, largest_frame> room;
    const io::Got got = stream_->read(room);
    if (got.io == io::Io::again) return true;
    if (got.io != io::Io::ok) return false;
    rest_.insert(rest_.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(got.bytes));
    for (;;) {
        const stun::Frame frame = stun::next_frame(rest_);
        if (frame.state == stun::Frame::State::malformed || frame.size > largest_frame) return false;
        if (frame.state == stun::Frame::State::need_more) return true;
        taken = taken || take(Bytes(rest_).first(frame.size));
        rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(frame.size));
    }
}

}  // namespace sallyport::turn
