// The sockets of relays over TCP (RFC 6062).
#include "io/hang_up.hpp"
#include "io/relay.hpp"
#include "turn/turn_loop.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr Duration connect_within = 30s;        // RFC 6062 section 5.2
constexpr Duration retry_after = 1s;            // when there is no descriptor for a connection
constexpr Duration half_closed_for = 2min;

// Counts what passes as it passes: such a connection may live for days.
class Counting final : public io::RelayWatch {
public:
    Counting(PeerConnection& connection, Outlet& outlet) : connection_(connection), outlet_(outlet) {}

    bool from_client(Bytes bytes, io::Stream&, io::Stream& target) override {
        connection_.bytes_in += bytes.size();
        outlet_.passed(bytes.size(), 0);
        return target.write(bytes) == io::Io::ok;
    }
    bool from_target(Bytes bytes, io::Stream& client, io::Stream&) override {
        connection_.bytes_out += bytes.size();
        outlet_.passed(0, bytes.size());
        return client.write(bytes) == io::Io::ok;
    }

private:
    PeerConnection& connection_;
    Outlet& outlet_;
};

// As fast as the limits on bits let it.
class Paced final : public io::RelayPace {
public:
    Paced(const Server& server, const PeerConnection& connection, io::Cancellation& cancellation)
        : RelayPace(cancellation), server_(server), connection_(connection) {}

    void give_back(std::size_t bytes) override { give_back_bits(server_.bit_limits(connection_), bytes); }

private:
    Grant ask(SteadyTime now) override {
        const BitGrant grant = take_bits(server_.bit_limits(connection_), now);
        return {grant.bytes, grant.again};
    }

    const Server& server_;
    const PeerConnection& connection_;
};

}  // namespace

std::expected<int, int> TurnLoop::open_tcp_relay(const SocketAddress& own) {
    auto socket = io::listen_one_tcp(own);
    if (!socket) return std::unexpected(socket.error());
    return socket->release();
}

bool TurnLoop::start_tcp_relay(RelayId id, int number) {
    auto acceptor = io::Acceptor::adopt(loop_, io::Fd(number), scope_.cancellation());
    if (!acceptor) return false;
    scope_.spawn(serve_tcp_relay(id, number, std::move(*acceptor)));
    return true;
}

io::Task<void> TurnLoop::serve_tcp_relay(RelayId id, int number, io::Acceptor acceptor) {
    acceptors_[number] = &acceptor;
    for (;;) {
        io::Wait waited = co_await acceptor.readable(io::Deadline::none);
        if (waited != io::Wait::ready) co_return;
        for (;;) {
            auto accepted = acceptor.accept();
            if (!accepted && accepted.error() == EAGAIN) break;
            if (!accepted) {
                waited = co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(retry_after));
                if (waited != io::Wait::timeout || !acceptor.is_open()) co_return;
                continue;
            }
            server_.accepted(id, accepted->peer, accepted->fd.release(), now());
            send_gathered();
            if (!acceptor.is_open()) co_return;
        }
    }
}

void TurnLoop::connect(const PeerConnectionHandle& connection, RelayId id, const SocketAddress& own,
                       const SocketAddress& peer) {
    scope_.spawn(connect_to(connection, id, own, peer));
}

io::Task<void> TurnLoop::connect_to(PeerConnectionHandle connection, RelayId id, SocketAddress own,
                                    SocketAddress peer) {
    io::Source source(own.ip);
    source.shared_port = own.port;
    auto stream = co_await io::connect_tcp(loop_, scope_.cancellation(), peer, source, loop_.in(connect_within));
    // The stream goes with this frame; the socket waits for whichever loop its client comes to.
    const int socket = stream ? ::fcntl(stream->fd(), F_DUPFD_CLOEXEC, 0) : -1;
    server_.connected(connection, id, socket, now());
    send_gathered();
}

void TurnLoop::carry(const Link& link, const PeerConnectionHandle& connection, int socket) {
    const auto found = streams_.find(link.number);
    if (found == streams_.end()) {
        connection->end();
        ::close(socket);
        return;
    }
    found->second->carried = connection;
    found->second->peer = io::Fd(socket);
}

// What the client has sent on the heels of its last request. False: the loop ends.
io::Task<bool> TurnLoop::pass_rest(StreamClient& client, io::Stream& peer, io::RelayWatch& watch, io::RelayPace& pace) {
    for (Bytes rest = client.rest; !rest.empty();) {
        const std::size_t granted = pace.ask_again(loop_.now());
        const Bytes now = rest.first(std::min(granted, rest.size()));
        if (!now.empty()) {
            pace.give_back(granted - now.size());
            watch.from_client(now, client.stream, peer);
            rest = rest.subspan(now.size());
            continue;
        }
        const auto until = io::Deadline::at(pace.granted().again);
        const io::Wait slept = co_await io::Sleep(loop_, client.cancellation, until);
        if (slept != io::Wait::timeout) co_return false;
    }
    client.rest = {};
    co_return true;
}

io::Task<void> TurnLoop::carry_to_peer(StreamClient& client) {
    auto peer = io::Stream::adopt(loop_, std::move(client.peer), client.cancellation);
    if (peer) {
        const io::HangUp hang_up(loop_, client.stream, *peer);
        client.carried->carried_by(hang_up.by_any_thread());
        io::keep_alive(peer->fd());
        Counting counting(*client.carried, *this);
        Paced pace(server_, *client.carried, client.cancellation);
        const bool begun = co_await pass_rest(client, *peer, counting, pace);
        io::Relayed relayed;
        const io::RelayLimits limits{.half_closed = half_closed_for, .pace = &pace};
        if (begun) co_await io::relay(client.stream, *peer, limits, relayed, &counting);
    }
    client.carried->end();
}

}  // namespace sallyport::turn
