// Any order of requests (whole, repeated, altered), data, TCP connections, errors and time, by several clients. What is
// bound is what lives; nothing passes to a peer that policy denies; data passes exactly as long as the answers promised
// it; what is altered, or comes from elsewhere, does nothing; and at the end ports, sockets, reservations, permissions,
// connections and quotas are as at the beginning.
#include "turn/player_testing.hpp"

#include <algorithm>
#include <deque>

namespace {

using namespace sallyport;
using namespace sallyport::turn;
using namespace sallyport::turn::testing;

constexpr std::uint32_t most_lifetime = 3600;

/// A connection that took over one with a peer.
struct Carrier {
    PeerConnectionHandle connection;
    int socket;
    bool has_begun = false;
    bool is_hung_up = false;
};

struct Game {
    Scene scene;
    std::array<Player, 4> players{{{scene, 0}, {scene, 1}, {scene, 2}, {scene, 3}}};
    std::deque<PeerConnectionHandle> connections;  // that there were
    std::map<std::uint32_t, SteadyTime> there_since;  // those of them that came about
    std::deque<Carrier> carriers;
    std::uint32_t last_link = 100;

    explicit Game(unsigned choice) : scene(settings_of(choice), shared()) {
        if (choice / 4 % 2 == 0) return;
        for (Player& one : players) one.allocate(one.client.link.transport == Transport::tcp ? 6 : 17);
    }

    // One for all games: it is large, and each leaves it as it was.
    static const std::shared_ptr<Shared>& shared() {
        static const auto all = std::make_shared<Shared>();
        return all;
    }

    void turn(unsigned who, unsigned what, unsigned detail) {
        switch (who % 8) {
            case 4: tell_icmp(what, detail); break;
            case 5: play_tcp(what, detail); break;
            case 6: send_from(peer_of(what)); break;
            case 7: pass(what, std::chrono::seconds(detail)); break;
            default:
                if (what % 32 == 31)
                    players[who % 4].steal(players[(who + 1 + detail % 3) % 4].earlier[detail / 3 % 4]);
                else
                    players[who % 4].play(what, detail, who >> 3);
        }
        check();
    }

    // Now and then allocations are kept, so that what they hold comes to its end before they do.
    void pass(unsigned what, std::chrono::seconds time) {
        if (what % 4 == 3) {
            for (Player& one : players) one.client.refresh(most_lifetime);
        }
        scene.pass(what % 2 == 0 ? time : time * 3);
    }

    Player& owner_of(const Allocation& allocation) {
        return *std::ranges::find(players, allocation.link, [](const Player& one) { return one.client.link; });
    }
    Allocation& allocation_of(RelayId id) { return scene.server->table().at(id.allocation); }
    bool is_tcp(RelayId id) { return allocation_of(id).is_tcp; }

    // A peer sends to every relay there is.
    void send_from(const SocketAddress& peer) {
        for (const auto& [socket, id] : std::map(scene.world.started)) {
            if (is_tcp(id)) continue;
            require_heard(id, owner_of(allocation_of(id)).hears(peer.ip),
                          [&] { scene.server->from_peer(id, peer, as_bytes("data"), scene.now); });
        }
    }
    // The network answers to what every relay has sent.
    void tell_icmp(unsigned what, unsigned detail) {
        const SocketAddress& peer = peer_of(detail);
        const auto type = static_cast<std::uint8_t>(what % 13);
        const bool is_told = peer.ip.is_v4() ? type == 3 || type == 11 : type >= 1 && type <= 3;
        for (const auto& [socket, id] : std::map(scene.world.started)) {
            const Icmp icmp{type, static_cast<std::uint8_t>(detail), what << 8};
            require_heard(id, is_told && owner_of(allocation_of(id)).hears(peer.ip),
                          [&] { scene.server->icmp_from(id, peer, icmp, scene.now); });
        }
    }
    template <class F>
    void require_heard(RelayId id, bool is_due, F tell) {
        const Player& owner = owner_of(allocation_of(id));
        scene.world.inboxes.clear();
        tell();
        const std::size_t heard = scene.world.inboxes[owner.client.link.client].size();
        require(heard <= (is_due ? 1U : 0U) && (heard == is_due || owner.is_limited()));
    }

    void play_tcp(unsigned what, unsigned detail) {
        switch (what % 4) {
            case 0: finish_dialing(detail / 2, detail % 2 == 0); break;
            case 1: accept(what / 4, peer_of(detail)); break;
            case 2: take_over(detail / 2, detail % 2 == 0); break;
            default: carry_on(detail); break;
        }
    }
    void finish_dialing(unsigned which, bool succeeds) {
        auto& dialed = scene.world.dialed;
        if (dialed.empty()) return;
        const auto place = dialed.begin() + which % dialed.size();
        const World::Dialed one = *place;
        dialed.erase(place);
        scene.server->connected(one.connection, one.id, succeeds ? scene.world.new_socket({}) : -1, scene.now);
        if (!succeeds) return;
        connections.push_back(one.connection);
        there_since[one.connection->id] = scene.now.steady;
    }
    // A peer connects to one of the relays.
    void accept(unsigned which, const SocketAddress& from) {
        std::vector<RelayId> relays;
        for (const auto& [socket, id] : scene.world.started) {
            if (is_tcp(id)) relays.push_back(id);
        }
        if (relays.empty()) return;
        const RelayId id = relays[which % relays.size()];
        const Player& owner = owner_of(allocation_of(id));
        const bool is_welcome = owner.hears(from.ip) && allocation_of(id).peers.size() < most_peer_connections;
        const int socket = scene.world.new_socket({});
        scene.server->accepted(id, from, socket, scene.now);
        require(scene.world.sockets.contains(socket) == is_welcome);
        if (!is_welcome) return;
        connections.push_back(allocation_of(id).peers.back().connection);
        there_since[connections.back()->id] = scene.now.steady;
        require(scene.world.inboxes[owner.client.link.client].size() == 1);
    }
    // By its owner, or by somebody else.
    void take_over(unsigned which, bool by_alice) {
        if (connections.empty()) return;
        const PeerConnectionHandle& connection = connections[which % connections.size()];
        const Player& player = players[by_alice ? 0 : 1];
        Client data(scene, "192.0.2.7:" + std::to_string(6000 + ++last_link), player.client.user,
                    player.client.password);
        data.link.number = last_link;
        data.link.transport = Transport::tcp;
        const bool is_due =
            connection->state() == PeerConnection::State::waiting && connection->owner.user == data.user;
        const Response answer =
            data.ask(Method::connection_bind, [&](auto& w) { w.add_u32(Attribute::connection_id, connection->id); });
        require(answer.is_success() == is_due && scene.world.carried.size() == (is_due ? 1U : 0U));
        if (!is_due) return;
        carriers.push_back({connection, scene.world.carried.back().socket});
        scene.world.carried.clear();
        scene.server->link_ended(data.link, scene.now);
    }
    // A carrier begins a moment later than it was told to; then it ends.
    void carry_on(unsigned which) {
        if (carriers.empty()) return;
        const auto place = carriers.begin() + which % carriers.size();
        if (!std::exchange(place->has_begun, true)) {
            const PeerConnection* connection = place->connection.get();
            return place->connection->carried_by([this, connection] { hang_up(connection); });
        }
        require(!place->connection->end());
        scene.world.close_relay(place->socket);
        carriers.erase(place);
    }
    void hang_up(const PeerConnection* connection) {
        for (Carrier& one : carriers) {
            if (one.connection.get() == connection) one.is_hung_up = true;
        }
    }

    void check() {
        for (Player& player : players) {
            if (player.client.allocation() != nullptr) continue;
            player.permitted.clear();
            player.channels.clear();
        }
        const std::size_t waiting = check_connections();
        check_relays(waiting);
        for (const ToPeer& one : scene.world.sent) require(players[0].may_reach(one.to, scene.shared->live));
        scene.world.sent.clear();
        scene.world.inboxes.clear();
        scene.world.stories.clear();
    }
    // How many wait to be taken over.
    std::size_t check_connections() {
        std::size_t all = 0;
        std::size_t waiting = 0;
        scene.server->table().for_each([&](std::uint32_t, Allocation& allocation) {
            require(allocation.peers.size() <= most_peer_connections);
            all += allocation.peers.size();
            for (const TcpPeer& one : allocation.peers) {
                const auto state = one.connection->state();
                if (state == PeerConnection::State::over) continue;
                require(scene.shared->connections.find(one.connection->id) == one.connection);
                if (state != PeerConnection::State::waiting) continue;
                ++waiting;
                const auto since = there_since.at(one.connection->id);
                require(scene.now.steady < since + std::chrono::seconds(peer_connection_patience));
            }
        });
        require(scene.shared->connections.size() <= all);
        for (const Carrier& one : carriers) {
            const bool is_over = one.connection->state() == PeerConnection::State::over;
            require(!one.has_begun || one.is_hung_up == is_over);
        }
        return waiting;
    }
    void check_relays(std::size_t waiting) {
        std::size_t allocations = 0;
        std::size_t by_udp = 0;
        std::size_t by_tcp = 0;
        scene.server->table().for_each([&](std::uint32_t, Allocation& one) {
            ++allocations;
            require(one.relays[0].is_open() || one.relays[1].is_open());
            for (const Relay& relay : one.relays) {
                if (!relay.is_open()) continue;
                ++(relay.is_tcp ? by_tcp : by_udp);
                require(scene.world.sockets.at(relay.socket) == relay.own);
                require(scene.world.started.contains(relay.socket));
                require((relay.is_tcp ? scene.shared->live_tcp : scene.shared->live).contains(relay.own));
            }
        });
        const std::size_t kept = scene.shared->reservations.size();
        require(scene.world.sockets.size() == by_udp + by_tcp + kept + waiting + carriers.size());
        require(scene.world.started.size() == by_udp + by_tcp);
        require(scene.shared->live.size() == by_udp + kept && scene.shared->live_tcp.size() == by_tcp);
        require(allocations == scene.server->allocations() && allocations == scene.shared->quotas.allocations());
    }

    // All is over, and what was under way comes to nobody.
    void finish() {
        scene.server->end_all(telemetry::Reason::draining, scene.now);
        while (!scene.world.dialed.empty()) finish_dialing(0, scene.world.dialed.size() % 2 == 0);
        while (!carriers.empty()) carry_on(0);
        scene.pass(31s);
        check();
        require(scene.world.sockets.empty() && scene.world.bound.empty());
        require(scene.shared->quotas.users() == 0 && scene.shared->connections.size() == 0);
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Game game(data[0]);
    for (std::size_t i = 1; i + 2 < size && i < 300; i += 3) game.turn(data[i], data[i + 1], data[i + 2]);
    game.finish();
    return 0;
}
