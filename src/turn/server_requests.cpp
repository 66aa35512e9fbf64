// What is asked of an allocation that lives: Refresh, CreatePermission, ChannelBind (RFC 8656 sections 8, 10, 12).
#include "turn/server_answer.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;
using telemetry::Reason;

void Server::refresh(const Call& call, const Identity& identity, Allocation& allocation) {
    const auto family = call.message.number(Attribute::requested_address_family, 1);
    if (family && *family != family_v4 && *family != family_v6) return refuse(call, 440, &identity);
    const std::array meant{!family || *family == family_v4, !family || *family == family_v6};
    const bool meets = (meant[0] && allocation.relays[0].is_open()) || (meant[1] && allocation.relays[1].is_open());
    if (!meets) return refuse(call, 443, &identity);
    const bool ends = call.message.number(Attribute::lifetime, 4) == 0;
    const Seconds lifetime = ends ? 0 : lifetime_of(call.message);
    const Seconds now = seconds(call.now.steady);
    for (std::size_t i = 0; i < meant.size(); ++i) {
        if (meant[i] && allocation.relays[i].is_open()) allocation.relays[i].until = now + lifetime;
    }
    Answer answer(call, Class::success);
    answer.writer.add_u32(Attribute::lifetime, lifetime);
    send(call, answer, &identity);
    if (allocation.until() <= now) {
        end(table_.index_of(call.link), Reason::ok, "its client ended it", call.now);
    } else if (ends) {
        for (Relay& relay : allocation.relays) {
            if (relay.until <= now) close(relay);
        }
    }
}

void Server::create_permission(const Call& call, const Identity& identity, Allocation& allocation) {
    struct Peer {
        IpAddress address;
        PeerKind kind;
    };
    std::array<Peer, most_permissions> peers;
    std::size_t count = 0;
    std::uint16_t refused = call.message.has(Attribute::xor_peer_address) ? 0 : 400;
    // All or none: every address is judged before any is permitted.
    call.message.each_address(Attribute::xor_peer_address, [&](const std::optional<SocketAddress>& peer) {
        if (refused == 0 && (!peer || count == peers.size())) refused = peer ? 508 : 400;
        if (refused != 0) return;
        const auto kind = judge_peer(call, identity, allocation, *peer);
        if (kind)
            peers[count++] = {peer->ip, *kind};
        else
            refused = kind.error();
    });
    const Seconds now = seconds(call.now.steady);
    for (const Peer& peer : std::span(peers).first(count)) {
        if (refused == 0 && !permit(allocation, peer.address, peer.kind, now)) refused = 508;
    }
    if (refused != 0) return refuse(call, refused, &identity);
    Answer answer(call, Class::success);
    send(call, answer, &identity);
}

void Server::bind_channel(const Call& call, const Identity& identity, Allocation& allocation) {
    const auto number = call.message.number(Attribute::channel_number, 2);
    const auto peer = call.message.address(Attribute::xor_peer_address);
    if (allocation.is_tcp || !number || !peer || !stun::is_channel(static_cast<std::uint16_t>(*number)))
        return refuse(call, 400, &identity);
    const auto kind = judge_peer(call, identity, allocation, *peer);
    if (!kind) return refuse(call, kind.error(), &identity);
    const Seconds now = seconds(call.now.steady);
    // One number, one peer, each way, and that until the rest is over.
    const auto touches = [&](const Channel& one) {
        return one.is_tied(now) && (one.number == *number || one.peer == *peer);
    };
    Channel* channel = allocation.channels.find(touches);
    if (channel != nullptr && (channel->number != *number || channel->peer != *peer))
        return refuse(call, 400, &identity);
    const bool is_new = channel == nullptr;
    if (is_new)
        channel = allocation.channels.place([&](const Channel& one) { return !one.is_tied(now); }, most_channels);
    if (channel == nullptr || !permit(allocation, peer->ip, *kind, now)) return refuse(call, 508, &identity);
    *channel = {*peer, now + channel_lifetime, static_cast<std::uint16_t>(*number), *kind};
    Answer answer(call, Class::success);
    send(call, answer, &identity);
}

std::expected<PeerKind, std::uint16_t> Server::judge_peer(const Call& call, const Identity& identity,
                                                          Allocation& allocation, const SocketAddress& peer) {
    using Verdict = PeerPolicy::Verdict;
    if (!allocation.relay_of(peer.ip).is_open()) return Refused(443);
    const bool is_own = settings_->peers.is_own(peer.ip) || outlet_.is_own(peer.ip);
    const auto [verdict, rule] = settings_->peers.rule_on(peer.ip, is_own);
    if (verdict == Verdict::denied) return deny(call, identity, peer.ip.to_string() + ": " + *rule);
    return PeerKind{is_own, verdict == Verdict::relays_only};
}

Server::Refused Server::deny(const Call& call, const Identity& identity, std::string_view detail) {
    outlet_.tell({.link = call.link, .user = identity.user, .reason = Reason::turn_peer_denied, .detail = detail});
    return Refused(403);
}

bool Server::permit(Allocation& allocation, const IpAddress& peer, PeerKind kind, Seconds now) {
    Permission* place = allocation.permissions.find([&](const Permission& one) { return one.peer == peer; });
    if (place == nullptr)
        place = allocation.permissions.place([&](const Permission& one) { return one.until <= now; }, most_permissions);
    if (place == nullptr) return false;
    *place = {peer, now + permission_lifetime, kind};
    return true;
}

}  // namespace sallyport::turn
