// Clients that come over TCP and TLS: messages and channel data back to back (RFC 8656 section 12.5).
#include "listeners/handshake_reason.hpp"
#include "turn/turn_loop.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::turn {

using namespace std::chrono_literals;
using telemetry::Reason;

namespace {

constexpr Duration handshake_within = 10s;
constexpr Duration idle_for = 60s;                   // at the most, without an allocation
constexpr std::size_t most_unproven = 2048;          // bytes of a frame, of a client without an allocation
constexpr std::size_t most_unsent = std::size_t{256} * 1024;  // then data is dropped, as a full socket of UDP does it
constexpr std::size_t most_unread = 2 * most_unsent;  // then answers too: their client asks and does not listen
constexpr unsigned reads_a_turn = 4;  // of one connection; then others get their turn

struct Counted {
    std::size_t& count;

    explicit Counted(std::size_t& in) : count(in) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
};

}  // namespace

void TurnLoop::take(listeners::ListenerHandle listener, io::Accepted accepted) {
    if (guard_.banned(accepted.peer.ip)) {
        io::reset_when_closed(accepted.fd.get());
        return;
    }
    scope_.spawn(serve_stream(std::move(listener), std::move(accepted)));
}

io::Task<void> TurnLoop::serve_stream(listeners::ListenerHandle listener, io::Accepted accepted) {
    const Counted counted(taken_);
    auto stream = io::Stream::adopt(loop_, std::move(accepted.fd), scope_.cancellation());
    if (!stream) co_return;
    const auto place = co_await admit(*stream, accepted.peer, listener->address);
    if (!place) co_return;
    if (listener->tls) {
        const bool shaken = co_await shake_hands(*stream, accepted.peer, listener->address);
        if (!shaken) co_return;
    }
    co_await serve({*stream, scope_.cancellation(), accepted.peer, std::move(listener)});
}

io::Task<void> TurnLoop::serve(Guest guest) {
    begin_keeping_time();
    const Transport transport = guest.stream.is_tls() ? Transport::tls : Transport::tcp;
    const SocketAddress local = io::local_address(guest.stream.fd());
    StreamClient client{.stream = guest.stream,
                        .cancellation = guest.cancellation,
                        .link = {guest.client, local, ++last_number_, transport},
                        .listener = std::move(guest.listener)};
    streams_.emplace(client.link.number, &client);
    co_await read_frames(client);
    server_.link_ended(client.link, now());
    send_gathered();
    if (client.carried != nullptr) co_await carry_to_peer(client);
    streams_.erase(client.link.number);
}

io::Task<bool> TurnLoop::shake_hands(io::Stream& stream, const SocketAddress& client, const std::string& listener) {
    if (tls_ == nullptr) co_return false;
    stream.attach(tls_->accept());
    const io::Handshake shaken = co_await io::handshake(stream, loop_.in(handshake_within));
    const auto reason = listeners::reason_of(shaken.failure);
    const bool is_probe = shaken.failure == io::TlsFailure::closed && !stream.tls()->heard();
    if (reason != Reason::ok && !is_probe) refuse(client, listener, {reason, shaken.detail});
    co_return shaken.failure == io::TlsFailure::none;
}

io::Task<void> TurnLoop::read_frames(StreamClient& client) {
    io::Stream& stream = client.stream;
    for (unsigned reads = 0;;) {
        if (stream.blocked() && stream.flush() == io::Io::failed) co_return;
        const MutableBytes room = loop_.buffer();  // until the next await
        const auto begin = std::ranges::copy(client.rest, room.begin()).out;
        const auto kept = static_cast<std::size_t>(begin - room.begin());
        const io::Got got = stream.read(room.subspan(kept));
        if (got.io == io::Io::eof || got.io == io::Io::failed) co_return;
        if (got.io == io::Io::ok) {
            const bool goes_on = take_frames(client, room.first(kept + got.bytes));
            send_gathered();
            if (!goes_on) co_return;
            if (++reads % reads_a_turn == 0) co_await io::Yield{loop_};
            continue;
        }
        io::Wait waited = io::Wait::ready;
        if (stream.blocked()) {
            waited = co_await io::WaitAny<2>(loop_.in(idle_for), {{{&stream.watched(), io::Interest::read},
                                                                   {&stream.watched(), io::Interest::write}}});
        } else {
            waited = co_await stream.readable(loop_.in(idle_for));
        }
        const bool is_idle = waited == io::Wait::timeout && server_.table().find(client.link) == nullptr;
        if (waited == io::Wait::cancelled || is_idle) co_return;
    }
}

// False: no frames follow, for the client speaks something else, or too much of it, or is carried to its peer.
bool TurnLoop::take_frames(StreamClient& client, Bytes bytes) {
    for (;;) {
        const stun::Frame frame = stun::next_frame(bytes);
        if (frame.state == stun::Frame::State::malformed || !may_send(client, frame.size)) return false;
        if (frame.state == stun::Frame::State::need_more) break;
        server_.from_client(client.link, true, bytes.first(frame.size), now());
        bytes = bytes.subspan(frame.size);
        if (client.carried != nullptr) break;  // what follows is the peer's
    }
    client.rest.assign(bytes.begin(), bytes.end());
    return client.carried == nullptr;
}

bool TurnLoop::may_send(const StreamClient& client, std::size_t frame) {
    return frame <= most_unproven || server_.table().find(client.link) != nullptr;
}

void TurnLoop::to_stream(const Link& link, const Packet& packet) {
    const auto found = streams_.find(link.number);
    if (found == streams_.end()) return;
    StreamClient& client = *found->second;
    const std::size_t waiting = client.stream.unsent() + client.gathered.size();
    if (waiting > (packet.may_be_lost ? most_unsent : most_unread)) return;
    if (client.gathered.empty()) gathering_.push_back(&client);
    client.gathered.insert(client.gathered.end(), packet.head.begin(), packet.head.end());
    client.gathered.insert(client.gathered.end(), packet.body.begin(), packet.body.end());
    client.gathered.resize(client.gathered.size() + packet.padding);
    // A record each: clients are about (turnutils_uclient of coturn 4.6) that read one message from every record.
    if (link.transport == Transport::tls) send_gathered();
}

void TurnLoop::send_gathered() {
    burst_.flush();
    for (StreamClient* client : std::exchange(gathering_, {})) {
        client->stream.write(client->gathered);  // what fails here is seen by the next read
        client->gathered.clear();
        if (client->stream.blocked() && client->stream.watched().reader != nullptr)
            loop_.wake(*client->stream.watched().reader, io::Wait::ready);  // so that it waits for room as well
    }
}

}  // namespace sallyport::turn
