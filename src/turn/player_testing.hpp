// A client that plays whatever it is told to, for the fuzz target: it knows what the server's answers promised it, and
// that nothing else may happen.
#pragma once

#include "base/fuzzing.hpp"
#include "turn/testing.hpp"

#include <algorithm>

namespace sallyport::turn::testing {

using fuzzing::require;
using Verdict = PeerPolicy::Verdict;

inline const SocketAddress peers[] = {at("8.8.8.8:1"),         at("8.8.4.4:2"),         at("10.0.0.1:3"),
                                      at("198.18.0.1:50001"),  at("[2606:4700::1]:4"),  at("127.0.0.1:5"),
                                      at("[2002:a00:1::1]:6"), at("203.0.113.10:50002")};

inline const SocketAddress& peer_of(unsigned detail) { return peers[detail % std::size(peers)]; }

// The server's own address, which clients know by what the NAT makes of it.
inline const IpAddress own = ip("198.18.0.1"), outside = ip("203.0.113.10");

inline std::shared_ptr<Settings> settings_of(unsigned choice) {
    static const PeerPolicy policy = make_settings({.own = {own, outside, ip("2001:db8::1")}})->peers;
    auto settings = make_settings();
    settings->peers = policy;
    settings->relay_addresses = {own, ip("2001:db8::1")};
    settings->nat_map.pairs = {{outside, own}};
    settings->first_relay_port = 50'000;
    settings->last_relay_port = 50'005;
    settings->allocations = {.per_user = 2, .total = 3};
    settings->tcp_relays = true;
    if (choice % 4 == 3) settings->allocation_bits_per_second = 1000;
    return settings;
}

/// A client, and what it was promised.
struct Player {
    struct Bound {
        SocketAddress peer;
        SteadyTime until;
    };
    struct Sent {
        std::string bytes;
        std::optional<SocketAddress> permits = {};
        std::optional<std::uint16_t> binds = {};
    };

    Scene& scene;
    Client client;
    std::map<IpAddress, SteadyTime> permitted = {};
    std::map<std::uint16_t, Bound> channels = {};
    std::string token = {};  // of a reservation
    std::array<Sent, 4> earlier = {};
    std::size_t requests = 0;

    Player(Scene& in, unsigned number)
        : scene(in),
          client(in, address_of(number), number % 2 == 0 ? "alice" : "bob", number % 2 == 0 ? "secret" : "word") {
        client.transaction = number << 24;
        if (number >= 2) client.link.transport = Transport::tcp;
    }

    // Streams from one address share their nonces, so that what one has sent would do for another: here, that is a
    // theft.
    static std::string address_of(unsigned number) {
        return (number == 3 ? "192.0.2.8:" : "192.0.2.7:") + std::to_string(5000 + number);
    }

    void play(unsigned what, unsigned detail, unsigned mask) {
        const SocketAddress& peer = peer_of(detail);
        const auto channel = static_cast<std::uint16_t>(0x3FFF + detail % 5);
        switch (what % 16) {
            case 0: allocate(17); break;
            case 1: allocate_even(detail % 2 != 0); break;
            case 2:
                note(client.allocate([](auto& w) { w.add_u32(Attribute::additional_address_family, 2U << 24); }));
                break;
            case 3:
                note(client.refresh(detail % 3 * 400, detail % 4 < 2 ? std::optional<std::uint8_t>{}
                                                                     : static_cast<std::uint8_t>(detail % 4 - 1)));
                break;
            case 4: note(client.permit({peer.to_string()}), peer); break;
            case 5: note(client.bind(channel, peer.to_string()), peer, channel); break;
            case 6: send_to(peer); break;
            case 7: send_by(channel); break;
            case 8: client.repeat = detail % 2 == 0; break;
            case 9: note(client.allocate([&](auto& w) { w.add(Attribute::reservation_token, token); })); break;
            case 10: scene.server->link_ended(client.link, scene.now); break;
            case 11: allocate(6); break;
            case 12: connect(peer); break;
            case 13: replay(earlier[detail % earlier.size()]); break;
            case 14: alter(earlier[mask % earlier.size()].bytes, detail, static_cast<char>(1U << mask % 8)); break;
            default: alter(earlier[mask % earlier.size()].bytes.substr(0, detail), 0, 0); break;
        }
    }

    void allocate(std::uint8_t protocol) { note(client.allocate({}, protocol)); }
    void allocate_even(bool reserve) {
        const Response answer = client.allocate(
            [&](auto& w) { w.add(Attribute::even_port, reserve ? "\x80" : std::string_view("\0", 1)); });
        token = answer.message.text(Attribute::reservation_token);
        note(answer);
    }

    // Its answer comes once the peer is there.
    void connect(const SocketAddress& peer) {
        const std::size_t before = scene.world.dialed.size();
        client.try_ask(Method::connect, [&](auto& w) { w.add_address(Attribute::xor_peer_address, peer); });
        keep({client.last_request});
        if (scene.world.dialed.size() == before) return;
        const World::Dialed& dialed = scene.world.dialed.back();
        require(may_reach(dialed.peer, scene.shared->live_tcp));
        require(dialed.own == client.allocation()->relay_of(peer.ip).own);
    }

    bool may_reach(const SocketAddress& target, const LiveRelays& live) const {
        const Verdict verdict = scene.settings->peers.rule_on(target.ip).verdict;
        return verdict == Verdict::allowed || (verdict == Verdict::relays_only && live.contains(target));
    }

    void send_to(const SocketAddress& peer) {
        const auto found = permitted.find(peer.ip);
        const bool is_promised = found != permitted.end() && scene.now.steady < found->second;
        pass(is_promised, peer, [&] { client.send_indication(peer.to_string(), "data"); });
    }
    void send_by(std::uint16_t channel) {
        const auto found = channels.find(channel);
        const bool is_promised = found != channels.end() && scene.now.steady < found->second.until;
        pass(is_promised, is_promised ? found->second.peer : peers[0], [&] { client.send_channel(channel, "data"); });
    }
    template <class F>
    void pass(bool is_promised, const SocketAddress& peer, F send) {
        Allocation* allocation = client.allocation();
        const SocketAddress target{scene.settings->nat_map.own_of(peer.ip), peer.port};
        const bool is_due = is_promised && allocation != nullptr && !allocation->is_tcp &&
                            allocation->relay_of(peer.ip).is_open() && may_reach(target, scene.shared->live);
        const std::uint64_t before = allocation == nullptr ? 0 : allocation->packets_in;
        send();
        const std::uint64_t passed = allocation == nullptr ? 0 : allocation->packets_in - before;
        require(passed <= (is_due ? 1U : 0U) && (passed == is_due || is_limited()));
    }

    void replay(const Sent& sent) {
        client.send(sent.bytes);
        const auto answers = scene.world.take(client.link.client);
        if (answers.empty() || sent.bytes.empty()) return;
        promise(Response(answers.front()), sent);
    }
    // What it does shows in the world's numbers: nothing may.
    void alter(std::string bytes, std::size_t place, char mask) {
        if (place < bytes.size()) bytes[place] = static_cast<char>(bytes[place] ^ mask);
        scene.world.inboxes.clear();
        for (const Sent& one : earlier) {
            if (one.bytes == bytes) return;
        }
        const auto before = numbers();
        client.send(bytes);
        require(numbers() == before);
        for (const std::string& answer : scene.world.take(client.link.client)) {
            const auto message = stun::read_message(as_bytes(answer));
            require(message && (message->kind() == Class::error || message->method() == Method::binding));
        }
    }
    // What others have heard on its way is of no use to this one.
    void steal(const Sent& sent) {
        const auto before = numbers();
        client.send(sent.bytes);
        require(numbers() == before);
    }
    std::array<std::size_t, 6> numbers() const {
        const Shared& shared = *scene.shared;
        const Allocation* mine = scene.server->table().find(client.link);
        std::size_t until = mine == nullptr ? 0 : mine->relays[0].until + mine->relays[1].until;
        if (mine != nullptr) {
            mine->permissions.for_each([&](const Permission& one) { until += one.until; });
            mine->channels.for_each([&](const Channel& one) { until += one.until; });
        }
        return {until,
                shared.connections.size(),
                scene.server->allocations(),
                shared.reservations.size(),
                scene.world.dialed.size(),
                scene.world.carried.size()};
    }

    void keep(Sent sent) { earlier[requests++ % earlier.size()] = std::move(sent); }
    void note(const Response& answer, std::optional<SocketAddress> permits = {},
              std::optional<std::uint16_t> binds = {}) {
        keep({client.last_request, permits, binds});
        promise(answer, {client.last_request, permits, binds});
    }
    void promise(const Response& answer, const Sent& sent) {
        if (!answer.is_success() || !sent.permits) return;
        permitted[sent.permits->ip] = scene.now.steady + std::chrono::seconds(permission_lifetime);
        if (!sent.binds) return;
        for (const auto& [number, bound] : channels) {
            const bool is_tied = scene.now.steady < bound.until + std::chrono::seconds(channel_rest);
            require(!is_tied || (number == *sent.binds) == (bound.peer == *sent.permits));
        }
        channels[*sent.binds] = {*sent.permits, scene.now.steady + std::chrono::seconds(channel_lifetime)};
    }

    bool is_limited() const { return scene.settings->allocation_bits_per_second != 0; }
    bool hears(const IpAddress& peer) const {
        const auto found = permitted.find(peer == own ? outside : peer);
        return found != permitted.end() && scene.now.steady < found->second;
    }
};

}  // namespace sallyport::turn::testing
