// Clients that come over DTLS: one association for each 5-tuple, begun by those alone whose address is proven.
#include "turn/turn_loop.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr Duration handshake_within = 10s;
constexpr Duration idle_for = 60s;                // at the most, without an allocation
constexpr std::size_t most_clients = 8192;        // of one loop
constexpr std::uint32_t most_of_an_address = 1024;  // of those (IPv6: of a /64): offices come by one

}  // namespace

io::DtlsSession::Send TurnLoop::sender(Open& open, const Link& link) {
    return [&](Bytes datagram) { open.socket.send_one(link.client, link.local.ip, std::array{datagram}); };
}

void TurnLoop::take_dtls(Open& open, const io::Datagram& datagram) {
    const Link link{datagram.peer, {datagram.local, open.door.own.port}, open.number, Transport::dtls};
    const auto found = dtls_clients_.find(link);
    const bool is_known = found != dtls_clients_.end();
    if (open.removed && server_.table().find(link) == nullptr) return;
    // A client that has forgotten all begins anew from the same port (RFC 6347 section 4.2.8).
    const bool is_open = is_known && found->second.session->state() == io::DtlsSession::State::open;
    if (!is_known || (is_open && io::DtlsServer::begins(datagram.bytes))) return begin_dtls(open, link, datagram.bytes);
    found->second.heard = loop_.now();
    found->second.session->receive(datagram.bytes, sender(open, link),
                                   [&](Bytes data) { server_.from_client(link, open.door.relays, data, now()); });
    if (found->second.session->state() != io::DtlsSession::State::ended) return;
    const std::string problem = found->second.session->problem();  // of a handshake
    if (!problem.empty()) refuse(link.client, open.door.address, {telemetry::Reason::tls_handshake, problem});
    end_dtls(link);
}

void TurnLoop::begin_dtls(Open& open, const Link& link, Bytes hello) {
    if (dtls_ == nullptr || guard_.banned(link.client.ip)) return;
    auto session = dtls_->accept(hello, link.client, sender(open, link));
    if (session == nullptr) return;
    end_dtls(link);
    if (dtls_clients_.size() >= most_clients) return;
    listeners::ClientPlace place(dtls_places_, link.client.ip, most_of_an_address);
    if (!place) return;
    session->receive({}, sender(open, link), [](Bytes) {});
    dtls_clients_.emplace(link, DtlsClient{std::move(session), std::move(place), loop_.now(), loop_.now()});
}

void TurnLoop::end_dtls(const Link& link) {
    if (dtls_clients_.erase(Link(link)) != 0) server_.link_ended(link, now());
}

void TurnLoop::to_dtls(const Link& link, const Packet& packet) {
    const auto door = doors_.find(link.number);
    const auto client = dtls_clients_.find(link);
    if (door == doors_.end() || client == dtls_clients_.end()) return;
    record_.assign(packet.head.begin(), packet.head.end());
    record_.insert(record_.end(), packet.body.begin(), packet.body.end());
    record_.resize(record_.size() + packet.padding);
    client->second.session->write(record_, sender(*door->second, link));
}

void TurnLoop::look_after_dtls() {
    std::vector<Link> over;
    for (auto& [link, client] : dtls_clients_) {
        if (const auto door = doors_.find(link.number); door != doors_.end())
            client.session->tick(sender(*door->second, link));
        const bool is_shaking = client.session->state() == io::DtlsSession::State::shaking;
        const bool is_late = is_shaking && loop_.now() - client.since > handshake_within;
        const bool is_idle = loop_.now() - client.heard > idle_for && server_.table().find(link) == nullptr;
        if (is_late || is_idle || client.session->state() == io::DtlsSession::State::ended) over.push_back(link);
    }
    for (const Link& link : over) end_dtls(link);
}

}  // namespace sallyport::turn
