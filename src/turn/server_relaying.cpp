// Data on its way: from clients to peers and back (RFC 8656 sections 11 and 12).
#include "turn/server.hpp"
#include "wire/stun/framing.hpp"

#include <array>

namespace sallyport::turn {

using stun::Attribute;

namespace {

constexpr Duration burst = std::chrono::milliseconds(500);  // of a limit on bits: how much may come at once
constexpr std::size_t indication_head =
    stun::header_size + 24 + 4;  // with the address of an IPv6 peer, before the data

}  // namespace

void Server::relay_indication(const Call& call) {
    const stun::Message& message = call.message;
    const auto peer = message.address(Attribute::xor_peer_address);
    Allocation* allocation = table_.find(call.link);
    const bool is_bad = (allocation != nullptr && allocation->is_tcp) || message.bad_attribute() ||
                        !message.unknown().empty() || !message.has(Attribute::data);
    const Permission* permission =
        allocation != nullptr && peer && !is_bad ? allocation->permission(peer->ip, seconds(call.now.steady)) : nullptr;
    if (permission == nullptr) {
        tally_.dropped.add(1);
        if (allocation != nullptr) ++allocation->dropped;
        return;
    }
    to_peer(*allocation,
            {*peer, permission->kind, message.value(Attribute::data), message.has(Attribute::dont_fragment)}, call.now);
}

void Server::relay_channel_data(const Link& link, Bytes bytes, Instant now) {
    Allocation* allocation = table_.find(link);
    const auto data = stun::read_channel_data(bytes);
    const Channel* channel =
        allocation != nullptr && data ? allocation->channel(data->number, seconds(now.steady)) : nullptr;
    if (channel == nullptr) {
        tally_.dropped.add(1);
        if (allocation != nullptr) ++allocation->dropped;
        return;
    }
    to_peer(*allocation, {channel->peer, channel->kind, data->data}, now);
}

void Server::to_peer(Allocation& allocation, const Outgoing& outgoing, Instant now) {
    const Relay& relay = allocation.relay_of(outgoing.peer.ip);
    const SocketAddress target{settings_->nat_map.own_of(outgoing.peer.ip), outgoing.peer.port};
    const RelayId* neighbor = outgoing.kind.is_own ? table_.find_relay(target) : nullptr;
    const bool forbidden = outgoing.kind.relays_only && !shared_.live.contains(target);
    if (!relay.is_open() || target.port == 0 || forbidden || !may_pass(allocation, outgoing.data.size(), now)) {
        tally_.dropped.add(1);
        ++allocation.dropped;
        return;
    }
    allocation.last_used = seconds(now.steady);
    allocation.bytes_in += outgoing.data.size();
    ++allocation.packets_in;
    tally_.relayed.add(1);
    outlet_.passed(outgoing.data.size(), 0);
    if (neighbor != nullptr)
        from_peer(*neighbor, relay.own, outgoing.data, now);
    else
        outlet_.to_peer(relay.socket, target, outgoing.data, outgoing.dont_fragment);
}

bool Server::may_pass(Allocation& allocation, std::size_t bytes, Instant now) {
    const auto passes = [&](Bucket& bucket, std::uint64_t per_second) {
        return per_second == 0 || bucket.take(8 * bytes, per_second, burst, now.steady);
    };
    return passes(allocation.bits, settings_->allocation_bits_per_second) &&
           passes(allocation.holding->bits, settings_->user_bits_per_second) &&
           passes(shared_.quotas.bits(), settings_->node_bits_per_second);
}

void Server::from_peer(RelayId id, const SocketAddress& peer, Bytes data, Instant now) {
    Allocation& allocation = table_.at(id.allocation);
    const Seconds at = seconds(now.steady);
    // A relay of this node is known to clients by the address that an outer NAT gives it.
    const SocketAddress known{settings_->nat_map.outside_of(peer.ip), peer.port};
    const bool is_permitted = allocation.lives() && allocation.permission(known.ip, at) != nullptr;
    if (!is_permitted || !may_pass(allocation, data.size(), now)) {
        tally_.dropped.add(1);
        if (allocation.lives()) ++allocation.dropped;
        return;
    }
    allocation.last_used = at;
    allocation.bytes_out += data.size();
    ++allocation.packets_out;
    tally_.relayed.add(1);
    outlet_.passed(0, data.size());
    to_client(allocation, known, data, at);
}

// RFC 8656 section 11.5. What a port that nobody listens on, or a narrow path, is to the client's own sockets.
void Server::icmp_from(RelayId id, const SocketAddress& peer, const Icmp& icmp, Instant now) {
    Allocation& allocation = table_.at(id.allocation);
    const SocketAddress known{settings_->nat_map.outside_of(peer.ip), peer.port};
    const bool is_told = peer.ip.is_v4() ? icmp.type == 3 || icmp.type == 11 : icmp.type >= 1 && icmp.type <= 3;
    const bool is_permitted = allocation.lives() && allocation.permission(known.ip, seconds(now.steady)) != nullptr;
    if (!is_told || !is_permitted || !may_pass(allocation, indication_head, now)) {
        tally_.dropped.add(1);
        return;
    }
    std::array<std::byte, 8> value;
    ByteWriter writer(value);
    writer.u16(0);
    writer.u16(static_cast<std::uint16_t>(icmp.type << 9 | icmp.code));
    writer.u32(icmp.data);
    std::array<std::byte, indication_head + 8> room;
    stun::MessageWriter indication(room, stun::Class::indication, stun::Method::data, {});
    indication.add_address(Attribute::xor_peer_address, known);
    indication.add(Attribute::icmp, Bytes(value));
    if (const auto bytes = indication.finish())
        outlet_.to_client(allocation.link, {.head = *bytes, .may_be_lost = true});
}

void Server::to_client(Allocation& allocation, const SocketAddress& peer, Bytes data, Seconds now) {
    if (const Channel* channel = allocation.channel_to(peer, now)) {
        const auto head = stun::channel_head(channel->number, data.size());
        const bool padded = is_stream(allocation.link.transport);  // RFC 8656 section 12.5
        const std::size_t padding = padded ? stun::padding_after(data.size()) : 0;
        return outlet_.to_client(allocation.link, {Bytes(head), data, padding, true});
    }
    std::array<std::byte, indication_head> room;
    const std::uint64_t number = allocation.packets_out;
    stun::TransactionId transaction{};  // nobody answers an indication: any will do
    for (std::size_t i = 0; i < 8; ++i) transaction[4 + i] = static_cast<std::byte>(number >> (8 * i));
    stun::MessageWriter writer(room, stun::Class::indication, stun::Method::data, transaction);
    writer.add_address(Attribute::xor_peer_address, peer);
    if (const auto head = writer.finish_before_data(data.size()))
        outlet_.to_client(allocation.link, {*head, data, stun::padding_after(data.size()), true});
}

}  // namespace sallyport::turn
