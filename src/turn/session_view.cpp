#include "turn/session_view.hpp"

#include <algorithm>

namespace sallyport::turn {

namespace {

std::vector<SessionView::Peer> peers_of(const Allocation& allocation, Seconds now) {
    std::vector<SessionView::Peer> peers;
    allocation.channels.for_each([&](const Channel& one) {
        if (one.number != 0) peers.push_back({one.peer, one.number, std::int64_t{one.until} - now});
    });
    // A channel has a permission behind it: that is told only where it says more, being alive without the channel.
    allocation.permissions.for_each([&](const Permission& one) {
        const std::int64_t left = std::int64_t{one.until} - now;
        const bool told = std::ranges::any_of(peers, [&](const SessionView::Peer& peer) {
            return peer.address.ip == one.peer && (peer.left > 0) == (left > 0);
        });
        if (one.until != 0 && !told) peers.push_back({{one.peer, 0}, 0, left});
    });
    return peers;
}

// The usual fault of clients: they let a permission run out under a call, which then falls silent. It ends before the
// channel that came with it.
std::string hint_of(const Allocation& allocation, Seconds now) {
    std::string hint;
    if (allocation.dropped == 0) return hint;
    allocation.permissions.for_each([&](const Permission& one) {
        if (one.until == 0 || one.until > now) return;
        hint = "permission expired: the client has not refreshed the one for " + one.peer.to_string() + " for " +
               std::to_string(now - one.until + permission_lifetime) + " s, and what comes from there is dropped";
    });
    return hint;
}

SessionView look_at(const Allocation& allocation, const NatMap& nat_map, Seconds now) {
    SessionView view{.client = allocation.link.client,
                     .transport = allocation.link.transport,
                     .user = allocation.user,
                     .relays = {},
                     .lasted = now - allocation.since,
                     .idle = now - allocation.last_used,
                     .left = allocation.until() > now ? allocation.until() - now : 0,
                     .packets_in = allocation.packets_in,
                     .bytes_in = allocation.bytes_in,
                     .packets_out = allocation.packets_out,
                     .bytes_out = allocation.bytes_out,
                     .dropped = allocation.dropped,
                     .peers = peers_of(allocation, now),
                     .hint = hint_of(allocation, now)};
    for (const TcpPeer& peer : allocation.peers) {
        view.bytes_in += peer.connection->bytes_in;
        view.bytes_out += peer.connection->bytes_out;
    }
    for (const Relay& relay : allocation.relays) {
        if (relay.is_open()) view.relays.push_back({nat_map.outside_of(relay.own.ip), relay.own.port});
    }
    return view;
}

}  // namespace

std::vector<SessionView> look_at_sessions(Server& server, Instant now, std::size_t most) {
    std::vector<SessionView> views;
    server.table().for_each([&](std::uint32_t, const Allocation& allocation) {
        if (views.size() < most)
            views.push_back(look_at(allocation, server.settings().nat_map, server.seconds(now.steady)));
    });
    return views;
}

}  // namespace sallyport::turn
