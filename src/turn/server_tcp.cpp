// Relaying over TCP (RFC 6062): connections to peers and from them, and the client's connections that take them over.
#include "turn/server_answer.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;
using stun::Method;

namespace {

PeerConnection::Owner owner_of(Allocation& allocation) {
    if (allocation.stream_bits == nullptr) allocation.stream_bits = std::make_shared<Bucket>();
    return {allocation.user, allocation.stream_bits, allocation.holding->shared_from_this()};
}

}  // namespace

void Server::connect(const Call& call, const Identity& identity, Allocation& allocation) {
    const auto peer = call.message.address(Attribute::xor_peer_address);
    if (!allocation.is_tcp || !peer || peer->port == 0) return refuse(call, 400, &identity);
    const auto kind = judge_peer(call, identity, allocation, *peer);
    if (!kind) return refuse(call, kind.error(), &identity);
    const SocketAddress target{settings_->nat_map.own_of(peer->ip), peer->port};
    if (kind->relays_only && !shared_.live_tcp.contains(target)) {
        const auto denied = deny(call, identity, peer->to_string() + ": an address of this node, and no relay");
        return refuse(call, denied.error(), &identity);
    }
    const bool is_there = std::ranges::any_of(allocation.peers, [&](const TcpPeer& one) {
        return one.connection->peer == *peer && one.connection->state() != PeerConnection::State::over;
    });
    if (is_there) return refuse(call, 446, &identity);
    if (allocation.peers.size() >= most_peer_connections) return refuse(call, 508, &identity);
    TcpPeer& added = allocation.peers.emplace_back(shared_.connections.add(*peer, owner_of(allocation)));
    added.asked = {.transaction = call.message.transaction(),
                   .key = identity.key,
                   .kind = identity.kind,
                   .has_fingerprint = call.message.has(Attribute::fingerprint)};
    const RelayId id{table_.index_of(call.link), !peer->ip.is_v4()};
    outlet_.connect(added.connection, id, allocation.relay_of(peer->ip).own, target);
}

void Server::connected(const PeerConnectionHandle& connection, RelayId id, int socket, Instant now) {
    Allocation& allocation = table_.at(id.allocation);
    const auto found = std::ranges::find(allocation.peers, connection, &TcpPeer::connection);
    if (socket >= 0 && (found == allocation.peers.end() || !connection->connected(socket))) outlet_.close_relay(socket);
    if (found == allocation.peers.end()) return;  // its allocation has ended meanwhile
    found->until = seconds(now.steady) + peer_connection_patience;
    const Asked& asked = found->asked;
    Answer answer(socket >= 0 ? Class::success : Class::error, Method::connect, asked.transaction);
    if (socket >= 0)
        answer.writer.add_u32(Attribute::connection_id, connection->id);
    else
        answer.writer.add_error(447);
    sign(answer.writer, asked.kind, asked.key.view());
    if (asked.has_fingerprint) answer.writer.add_fingerprint();
    if (const auto bytes = answer.writer.finish()) outlet_.to_client(allocation.link, {.head = *bytes});
    if (socket < 0) end_peer(*found);
}

// RFC 6062 section 5.3: whoever has no permission is turned away at once.
void Server::accepted(RelayId id, const SocketAddress& from, int socket, Instant now) {
    Allocation& allocation = table_.at(id.allocation);
    const SocketAddress peer{settings_->nat_map.outside_of(from.ip), from.port};
    const Seconds at = seconds(now.steady);
    const bool is_welcome = allocation.lives() && allocation.peers.size() < most_peer_connections &&
                            allocation.permission(peer.ip, at) != nullptr;
    if (!is_welcome) {
        tally_.dropped.add(1);
        return outlet_.close_relay(socket);
    }
    TcpPeer& added = allocation.peers.emplace_back(shared_.connections.add(peer, owner_of(allocation)));
    added.connection->connected(socket);
    added.until = at + peer_connection_patience;
    Answer answer(Class::indication, Method::connection_attempt, stun::TransactionId{});
    answer.writer.add_u32(Attribute::connection_id, added.connection->id);
    answer.writer.add_address(Attribute::xor_peer_address, peer);
    if (const auto bytes = answer.writer.finish()) outlet_.to_client(allocation.link, {.head = *bytes});
}

// By a connection of its own, which from the answer on carries the peer's bytes and nothing else (section 5.4).
void Server::bind_connection(const Call& call, const Identity& identity) {
    const auto id = call.message.number(Attribute::connection_id, 4);
    const bool is_bad = !id || !is_stream(call.link.transport) || table_.find(call.link) != nullptr;
    const auto connection = is_bad ? nullptr : shared_.connections.find(static_cast<std::uint32_t>(*id));
    if (connection == nullptr) return refuse(call, 400, &identity);
    if (connection->owner.user != identity.user) return refuse(call, 441, &identity);
    const auto socket = connection->take();
    if (!socket) return refuse(call, 400, &identity);
    Answer answer(call, Class::success);
    answer.writer.add_u32(Attribute::connection_id, connection->id);
    send(call, answer, &identity);
    outlet_.carry(call.link, connection, *socket);
}

std::array<BitLimit, 3> Server::bit_limits(const PeerConnection& connection) const {
    const PeerConnection::Owner& owner = connection.owner;
    return {BitLimit{owner.allocation_bits.get(), settings_->allocation_bits_per_second},
            BitLimit{&owner.holding->bits, settings_->user_bits_per_second},
            BitLimit{&shared_.quotas.bits(), settings_->node_bits_per_second}};
}

void Server::end_peer(TcpPeer& peer) {
    shared_.connections.remove(peer.connection->id);
    if (const auto socket = peer.connection->end()) outlet_.close_relay(*socket);
}

// Those that nobody has taken over in time end, and those that have ended are counted and forgotten. Their carriers are
// of other loops, perhaps: that something has passed is seen here.
void Server::sweep_peers(Allocation& allocation, Seconds now) {
    for (TcpPeer& one : allocation.peers) {
        const std::uint64_t bytes = one.connection->bytes();
        if (bytes != std::exchange(one.seen, bytes)) allocation.last_used = now;
        const bool waits = one.connection->state() == PeerConnection::State::waiting;
        if (waits && one.until <= now) end_peer(one);
    }
    std::erase_if(allocation.peers, [&](const TcpPeer& one) {
        if (one.connection->state() != PeerConnection::State::over) return false;
        shared_.connections.remove(one.connection->id);
        allocation.bytes_in += one.connection->bytes_in;
        allocation.bytes_out += one.connection->bytes_out;
        return true;
    });
}

}  // namespace sallyport::turn
