// Any order of requests, data and time, by several clients: what is bound is what lives, nothing passes to a peer that
// policy denies, a peer is heard exactly as long as the answers promised, and at the end ports, sockets, reservations,
// permissions and quotas are as at the beginning.
#include "turn/testing.hpp"

#include <cstdlib>

namespace {

using namespace sallyport;
using namespace sallyport::turn;
using namespace sallyport::turn::testing;

void expect(bool holds) {
    if (!holds) std::abort();
}

constexpr const char* peers[] = {"8.8.8.8:1",        "8.8.4.4:2",   "10.0.0.1:3",        "198.18.0.1:50001",
                                 "[2606:4700::1]:4", "127.0.0.1:5", "[2002:a00:1::1]:6", "203.0.113.10:50002"};

// The server's own address, which clients know by what the NAT makes of it.
const IpAddress own = ip("198.18.0.1"), outside = ip("203.0.113.10");

struct Player {
    Scene& scene;
    Client client;
    std::map<IpAddress, SteadyTime> permitted = {};  // until when, by what it was answered
    std::string token = {};                          // of a reservation

    Player(Scene& in, int number)
        : scene(in),
          client(in, "192.0.2.7:" + std::to_string(5000 + number), number % 2 == 0 ? "alice" : "bob",
                 number % 2 == 0 ? "secret" : "word") {
        client.transaction = static_cast<std::uint32_t>(number) << 24;
    }

    void play(unsigned what, unsigned detail) {
        const char* peer = peers[detail % std::size(peers)];
        const auto channel = static_cast<std::uint16_t>(0x3FFF + detail % 5);
        switch (what % 11) {
            case 0: client.allocate(); break;
            case 1:
                token = client
                            .allocate([&](auto& w) {
                                w.add(Attribute::even_port, detail % 2 ? "\x80" : std::string_view("\0", 1));
                            })
                            .message.text(Attribute::reservation_token);
                break;
            case 2: client.allocate([&](auto& w) { w.add_u32(Attribute::additional_address_family, 2U << 24); }); break;
            case 3:
                client.refresh(detail % 3 * 400, detail % 4 < 2 ? std::optional<std::uint8_t>{}
                                                                : static_cast<std::uint8_t>(detail % 4 - 1));
                break;
            case 4: note(peer, client.permit({peer})); break;
            case 5: note(peer, client.bind(channel, peer)); break;
            case 6: client.send_indication(peer, "data"); break;
            case 7: client.send_channel(channel, "data"); break;
            case 8: client.repeat = detail % 2 == 0; break;
            case 9: client.allocate([&](auto& w) { w.add(Attribute::reservation_token, token); }); break;
            default: scene.server->link_ended(client.link, scene.now); break;
        }
    }

    void note(const char* peer, const Response& answer) {
        if (answer.is_success()) permitted[at(peer).ip] = scene.now.steady + std::chrono::seconds(permission_lifetime);
    }
    bool hears(const IpAddress& peer) const {
        const auto found = permitted.find(peer == own ? outside : peer);
        return found != permitted.end() && scene.now.steady < found->second;
    }
};

// A peer sends to every relay there is.
void send_from(Scene& scene, std::span<Player> players, const SocketAddress& peer) {
    for (const auto& [socket, id] : std::map(scene.world.started)) {
        const SocketAddress owner = scene.server->table().at(id.allocation).link.client;
        scene.world.inboxes.clear();
        scene.server->from_peer(id, peer, as_bytes("data"), scene.now);
        const auto heard = scene.world.inboxes[owner].size();
        for (const Player& player : players) {
            if (player.client.link.client == owner) expect(heard == (player.hears(peer.ip) ? 1U : 0U));
        }
    }
}

void check(Scene& scene) {
    std::size_t open = 0;
    std::size_t allocations = 0;
    scene.server->table().for_each([&](std::uint32_t, Allocation& one) {
        ++allocations;
        for (const Relay& relay : one.relays) {
            if (!relay.is_open()) continue;
            ++open;
            expect(scene.world.sockets.at(relay.socket) == relay.own && scene.world.started.contains(relay.socket));
            expect(scene.shared->live.contains(relay.own.port));
        }
        expect(one.relays[0].is_open() || one.relays[1].is_open());
    });
    const std::size_t kept = scene.shared->reservations.size();
    expect(scene.world.sockets.size() == open + kept && scene.shared->live.size() == open + kept);
    expect(allocations == scene.server->allocations() && allocations == scene.shared->quotas.allocations());
    for (const ToPeer& one : scene.world.sent) {
        const auto verdict = scene.settings->peers.rule_on(one.to.ip).verdict;
        expect(verdict == PeerPolicy::Verdict::allowed ||
               (verdict == PeerPolicy::Verdict::relays_only && scene.shared->live.contains(one.to.port)));
    }
    scene.world.sent.clear();
    scene.world.inboxes.clear();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto settings = make_settings({.own = {ip("198.18.0.1"), ip("203.0.113.10"), ip("2001:db8::1")}});
    settings->relay_addresses = {ip("198.18.0.1"), ip("2001:db8::1")};
    settings->nat_map.pairs = {{ip("203.0.113.10"), ip("198.18.0.1")}};
    settings->first_relay_port = 50'000;
    settings->last_relay_port = 50'005;
    settings->allocations = {.per_user = 2, .total = 3};
    Scene scene(settings);
    Player players[] = {{scene, 0}, {scene, 1}, {scene, 2}, {scene, 3}};
    for (std::size_t i = 0; i + 2 < size && i < 300; i += 3) {
        const unsigned who = data[i], what = data[i + 1], detail = data[i + 2];
        if (who % 8 == 7) {
            scene.pass(std::chrono::seconds(detail * 3));
        } else if (who % 8 == 6) {
            send_from(scene, players, at(peers[what % std::size(peers)]));
        } else {
            players[who % std::size(players)].play(what, detail);
        }
        check(scene);
        for (Player& player : players) {
            if (player.client.allocation() == nullptr) player.permitted.clear();
        }
    }
    scene.server->end_all(telemetry::Reason::draining, scene.now);
    scene.pass(31s);
    check(scene);
    expect(scene.world.sockets.empty() && scene.shared->quotas.users() == 0 && scene.server->allocations() == 0);
    return 0;
}
