#include "turn/trial.hpp"

#include "crypto/hash.hpp"
#include "io/cancellation.hpp"
#include "io/sockets.hpp"
#include "io/udp.hpp"
#include "turn/requester.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <vector>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr std::array patience{500ms, 1000ms, 2000ms};  // of a datagram, which may be lost (RFC 8489 section 6.2.1)
constexpr Duration stream_patience = 5s;
constexpr std::size_t largest_frame = 4096;  // more is no answer of a server to what is asked here

std::string name_of(io::TlsFailure failure, const std::string& detail) {
    return failure == io::TlsFailure::timeout ? "TLS: no answer" : "TLS: " + detail;
}

// A way to the server: a socket of UDP, or a connection with TLS on it or not.
class Line {
public:
    Line(io::Loop& loop, const SelfTest& test) : loop_(loop), test_(test) {}

    io::Task<Result<void>> open() {
        if (!is_stream(test_.transport)) co_return open_udp();
        auto connected =
            co_await io::connect_tcp(loop_, cancellation_, test_.server, std::nullopt, loop_.in(stream_patience));
        if (!connected) co_return fail("no connection: " + std::string(text_of(connected.error().failure)));
        stream_.emplace(std::move(*connected));
        if (test_.transport != Transport::tls) co_return Result<void>{};
        stream_->attach(test_.tls->connect(test_.host));
        const io::Handshake shaken = co_await io::handshake(*stream_, loop_.in(stream_patience));
        if (shaken.failure != io::TlsFailure::none) co_return fail(name_of(shaken.failure, shaken.detail));
        co_return Result<void>{};
    }

    /// Sends until something comes for which `take` holds. False: it never came.
    io::Task<bool> exchange(std::function<Bytes()> request, std::function<bool(Bytes)> take) {
        const std::size_t tries = stream_ ? 1 : patience.size();
        for (std::size_t i = 0; i < tries; ++i) {
            send(request());
            const io::Deadline deadline = loop_.in(stream_ ? stream_patience : patience[i]);
            const bool taken = co_await hear(take, deadline);
            if (taken) co_return true;
        }
        co_return false;
    }

    void send(Bytes bytes) {
        const std::vector<std::byte> zeros(stun::padding_after(bytes.size()));
        if (stream_) {
            stream_->write(bytes);
            if (!zeros.empty()) stream_->write(zeros);
        } else {
            const io::Datagram datagram{.peer = {}, .local = {}, .bytes = bytes};
            socket_->send({&datagram, 1});
        }
    }

private:
    static std::string_view text_of(io::ConnectFailure failure) {
        constexpr std::array<std::string_view, 5> texts{"refused", "no answer", "unreachable", "cancelled",
                                                        "not possible from here"};
        return texts[static_cast<std::size_t>(failure)];
    }

    Result<void> open_udp() {
        auto fd = io::connect_udp(test_.server);
        if (!fd) return fail(fd.error());
        auto socket = io::UdpSocket::adopt(loop_, std::move(*fd), cancellation_);
        if (!socket) return fail(socket.error());
        socket_.emplace(std::move(*socket));
        return {};
    }

    io::Task<bool> hear(const std::function<bool(Bytes)>& take, io::Deadline deadline) {
        for (;;) {
            const io::Wait waited =
                stream_ ? co_await stream_->readable(deadline) : co_await socket_->readable(deadline);
            if (waited != io::Wait::ready) co_return false;
            bool taken = false;
            const bool goes_on = stream_ ? hear_stream(take, taken) : hear_datagrams(take, taken);
            if (taken || !goes_on) co_return taken;
        }
    }

    bool hear_datagrams(const std::function<bool(Bytes)>& take, bool& taken) {
        for (const io::Datagram& one : socket_->receive(batch_)) taken = taken || take(one.bytes);
        return !socket_->take_refusal();
    }

    bool hear_stream(const std::function<bool(Bytes)>& take, bool& taken) {
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

    io::Loop& loop_;
    const SelfTest& test_;
    io::Cancellation cancellation_;
    std::optional<io::UdpSocket> socket_;
    std::optional<io::Stream> stream_;
    io::DatagramBatch batch_;
    std::vector<std::byte> rest_;
};

class Tester {
public:
    Tester(io::Loop& loop, const SelfTest& test)
        : loop_(loop), test_(test), line_(loop, test), requester_(test.user, test.password) {}

    io::Task<SelfTested> run() {
        const auto opened = co_await line_.open();
        if (!opened) co_return SelfTested{.problem = opened.error().message};
        if (!test_.relays) {
            co_await ask("Binding", [this] { return requester_.binding(); });
            co_return std::move(out_);
        }
        const bool allocated = co_await ask("Allocate", [this] { return requester_.allocate(); });
        if (allocated && !out_.relayed) out_.problem = "Allocate: the answer names no relay";
        if (out_.problem.empty()) co_await send_through();
        if (out_.relayed) line_.send(requester_.refresh(0));
        co_return std::move(out_);
    }

private:
    using Kind = Requester::Answer::Kind;

    // One request with its answer, and again with what a challenge has taught.
    io::Task<bool> ask(std::string what, std::function<Bytes()> request) {
        Requester::Answer answer;
        for (int tries = 0; tries < 3; ++tries) {
            const bool came = co_await line_.exchange(request, [&](Bytes bytes) {
                answer = requester_.take(bytes);
                return answer.kind != Kind::stray;
            });
            if (!came) out_.problem = what + ": no answer";
            if (!came || answer.kind != Kind::again) break;
        }
        if (out_.problem.empty() && answer.kind != Kind::done)
            out_.problem = what + ": refused with " + std::to_string(answer.code);
        if (answer.mapped) out_.mapped = answer.mapped;
        if (answer.relayed) out_.relayed = answer.relayed;
        const bool worked = out_.problem.empty();
        co_return worked;
    }

    // A permission for the relay itself, and data to it: from there it comes back.
    io::Task<void> send_through() {
        const bool permitted =
            co_await ask("permission for its own relay", [this] { return requester_.permit(out_.relayed->ip); });
        if (!permitted) co_return;
        std::array<std::byte, 16> data;
        crypto::fill_random(data);
        const SteadyTime sent = loop_.now();
        const bool came =
            co_await line_.exchange([&] { return requester_.indicate(*out_.relayed, data); },
                                    [&](Bytes bytes) {
                                        const auto message = stun::read_message(bytes);
                                        return message && message->method() == stun::Method::data &&
                                               std::ranges::equal(message->value(stun::Attribute::data), Bytes(data));
                                    });
        if (came)
            out_.round_trip = loop_.now() - sent;
        else
            out_.problem = "what was sent through the relay " + out_.relayed->to_string() +
                           " to itself never came back: is its port open, and mapped to the server?";
    }

    io::Loop& loop_;
    const SelfTest& test_;
    Line line_;
    Requester requester_;
    SelfTested out_;
};

}  // namespace

io::Task<SelfTested> test_server(io::Loop& loop, SelfTest test) {
    Tester tester(loop, test);
    co_return co_await tester.run();
}

}  // namespace sallyport::turn
