// Questions by TCP (RFC 7766): any number on one connection, answered in whatever order the answers come.
#include "dns/respond.hpp"

#include "io/event.hpp"
#include "io/stream.hpp"

#include <algorithm>

namespace sallyport::dns {

struct Server::Tcp {
    Tcp(io::Loop& loop, std::string listener, const SocketAddress& from)
        : address(std::move(listener)), client(from), progress(loop) {}

    std::string address;
    SocketAddress client;
    std::optional<io::Stream> stream;
    std::vector<std::byte> in;   // what has come and was not taken
    std::vector<std::byte> out;  // answers that wait to be written together
    std::size_t under_way = 0;   // questions that were passed on
    SteadyTime heard{};          // when the last whole question came, or it had to wait for an answer
    io::Event progress;          // there is room again
    bool draining = false;       // somebody waits for the socket to take more
    bool more = false;           // whole questions may be left in `in`: as many answers as go out at once were there
    bool closed = false;

    bool has_room() const { return under_way < questions_a_connection && !stream->blocked(); }
};

struct Server::TcpWaiting final : ClientWaiting {
    TcpWaiting(Server& of, TcpHandle by, const Query& query, const Origin& from, std::string_view target_name)
        : ClientWaiting(of, query, from, max_message, target_name), tcp(std::move(by)) {
        ++tcp->under_way;
    }

    void answered(const Reply& reply) override {
        --tcp->under_way;
        tcp->progress.raise();
        if (tcp->closed) return;
        const Bytes answer = reply.write(*server.tcp_room_, asked);
        const Origin origin{.client = client, .listener = tcp->address, .tcp = true, .size = size};
        server.tell(origin, asked, {.reason = reply.reason(), .view = {}, .target = target}, answer.size(),
                    server.loop_.now() - began);
        server.put_answer(tcp, answer);
    }

    TcpHandle tcp;
};

void Server::take(const std::string& listener, io::Accepted accepted) {
    std::size_t& of_client = tcp_clients_[accepted.peer.ip];
    const bool too_many = of_client >= std::max<std::size_t>(1, options_.tcp_capacity / 4);
    if (finishing_ || !zones_.zones || too_many || !has_tcp_room(accepted.peer.ip) || guard_.banned(accepted.peer.ip)) {
        io::reset_when_closed(accepted.fd.get());
        if (of_client == 0) tcp_clients_.erase(accepted.peer.ip);
        return;
    }
    auto tcp = std::make_shared<Tcp>(loop_, listener, accepted.peer);
    auto stream = io::Stream::adopt(loop_, std::move(accepted.fd), scope_.cancellation());
    if (!stream) {
        if (of_client == 0) tcp_clients_.erase(accepted.peer.ip);
        return;
    }
    tcp->stream.emplace(std::move(*stream));
    ++of_client;
    ++tcp_count_;
    counters_.accepted(telemetry::Protocol::dns);
    scope_.spawn(serve_tcp(std::move(tcp)));
}

// Strangers leave the other half to clients.
bool Server::has_tcp_room(const IpAddress& client) const {
    const std::size_t places = zones_.zones->serves(client) ? options_.tcp_capacity : options_.tcp_capacity / 2;
    return tcp_count_ < places;
}

io::Task<void> Server::serve_tcp(TcpHandle tcp) {
    bool good = true;
    tcp->heard = loop_.now();
    while (good && !scope_.cancellation().requested()) {
        if (!take_questions(tcp)) break;
        forwarder_.flush();
        flush_replies();
        if (!tcp->has_room()) {
            const io::Wait waited = co_await tcp->progress.wait(loop_.in(tcp_stalled + Forwarder::whole_patience));
            good = waited == io::Wait::ready && !tcp->closed;
            continue;
        }
        if (tcp->more) {
            co_await io::Yield{loop_};  // others have their turn; what came already is answered before more is read
            good = !tcp->closed;
            continue;
        }
        const io::Got got = tcp->stream->read(MutableBytes(loop_.buffer()).first(max_message));
        if (got.io == io::Io::ok) {
            const Bytes bytes = Bytes(loop_.buffer()).first(got.bytes);
            tcp->in.insert(tcp->in.end(), bytes.begin(), bytes.end());
            if (got.bytes == max_message) co_await io::Yield{loop_};  // it sends as fast as it is read
        } else if (got.io == io::Io::again) {
            // Who sends a question octet by octet has no longer than who sends none.
            if (tcp->under_way > 0) tcp->heard = loop_.now();
            good = co_await tcp->stream->readable(io::Deadline::at(tcp->heard + tcp_idle)) == io::Wait::ready ||
                   tcp->under_way > 0;
        } else {
            // A client may be done with asking and still listen.
            while (got.io == io::Io::eof && tcp->under_way > 0 && !tcp->closed &&
                   co_await tcp->progress.wait(loop_.in(Forwarder::whole_patience)) == io::Wait::ready) {}
            flush_replies();
            good = false;
        }
        good = good && !tcp->closed;
    }
    while (tcp->draining) co_await tcp->progress.wait(loop_.in(tcp_stalled));
    tcp->closed = true;
    tcp->stream->close();
    counters_.closed(telemetry::Protocol::dns);
    --tcp_count_;
    const auto of_client = tcp_clients_.find(tcp->client.ip);
    if (--of_client->second == 0) tcp_clients_.erase(of_client);
}

// Takes what has come whole, as far as there is room for the answers. False: what came is no question.
bool Server::take_questions(const TcpHandle& tcp) {
    ByteReader rest(tcp->in);
    std::size_t taken = 0;
    bool good = true;
    while (good && tcp->has_room() && tcp->out.size() < max_message) {
        const auto size = rest.u16();
        const auto message = size ? rest.take(*size) : std::nullopt;
        if (!message) break;
        taken += 2 + message->size();
        tcp->heard = loop_.now();
        Query query;
        const Received received = read_query(*message, query);
        if (received == Received::nothing) {
            good = false;
            break;
        }
        const Origin origin{.client = tcp->client, .listener = tcp->address, .tcp = true, .size = message->size()};
        const Bytes answer = respond(received, query, origin, *tcp_room_, [&](const Query&, std::string_view target) {
            return std::make_unique<TcpWaiting>(*this, tcp, query, origin, target);
        });
        if (!answer.empty()) put_answer(tcp, answer);
    }
    tcp->more = tcp->out.size() >= max_message;
    tcp->in.erase(tcp->in.begin(), tcp->in.begin() + static_cast<std::ptrdiff_t>(taken));
    return good;
}

void Server::put_answer(const TcpHandle& tcp, Bytes answer) {
    if (answer.empty()) return;
    std::array<std::byte, 2> length;
    ByteWriter(length).u16(static_cast<std::uint16_t>(answer.size()));
    if (tcp->out.empty()) dirty_.push_back(tcp);
    tcp->out.insert(tcp->out.end(), length.begin(), length.end());
    tcp->out.insert(tcp->out.end(), answer.begin(), answer.end());
}

void Server::flush_tcp(const TcpHandle& tcp) {
    if (tcp->closed) return;
    const bool sent = tcp->stream->write(tcp->out) == io::Io::ok;
    tcp->out.clear();
    if (!sent) {
        tcp->closed = true;
        tcp->progress.raise();
    } else if (tcp->stream->blocked() && !tcp->draining) {
        tcp->draining = true;
        scope_.spawn(drain_tcp(tcp));
    }
}

// Waits until the client has taken what it asked for. One that doesn't is of no use, and must not hold memory.
io::Task<void> Server::drain_tcp(TcpHandle tcp) {
    while (!tcp->closed && tcp->stream->blocked()) {
        const io::Wait waited = co_await tcp->stream->writable(loop_.in(tcp_stalled));
        if (waited != io::Wait::ready || tcp->stream->flush() == io::Io::failed) tcp->closed = true;
    }
    tcp->draining = false;
    tcp->progress.raise();
}

}  // namespace sallyport::dns
