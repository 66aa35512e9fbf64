// A world around one TURN server, for tests: sockets are numbers, time is what the test says, and what is sent lies in
// lists.
#pragma once

#include "turn/server.hpp"

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::turn::testing {

using namespace std::chrono_literals;
using stun::Attribute;
using stun::Class;
using stun::Method;

inline SocketAddress at(std::string_view text) { return *SocketAddress::parse(text); }
inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

struct ToPeer {
    SocketAddress from, to;
    std::string data;
    bool dont_fragment = false;

    bool operator==(const ToPeer&) const = default;
};

class World final : public Outlet {
public:
    struct Told {
        std::string client, user, reason, detail, relay;
        std::uint64_t bytes_in, bytes_out;
        Duration lasted;
    };

    std::expected<int, int> open_relay(const SocketAddress& own) override {
        if (taken.contains(own) || bound.contains(own)) return std::unexpected(EADDRINUSE);
        if (sockets.size() >= most_sockets) return std::unexpected(EMFILE);
        bound.insert(own);
        sockets.emplace(++last_socket, own);
        return last_socket;
    }
    bool start_relay(RelayId id, int socket) override {
        if (!starts) close_relay(socket);
        if (!starts) return false;
        started[socket] = id;
        return true;
    }
    void close_relay(int socket) override {
        bound.erase(sockets.at(socket));
        sockets.erase(socket);
        started.erase(socket);
    }
    bool look_up(const HeldBinding& held) override {
        if (held_bindings.size() >= most_held) return false;
        held_bindings.push_back(held);
        return true;
    }
    std::uint32_t number_at(const SocketAddress& own) override {
        const auto found = doors.find(own);
        return found == doors.end() ? 0 : found->second;
    }
    void to_client(const Link& link, const Packet& packet) override {
        last_link = link;
        last_may_be_lost = packet.may_be_lost;
        std::string bytes(as_text(packet.head));
        bytes += as_text(packet.body);
        bytes.append(packet.padding, '\0');
        inboxes[link.client].push_back(bytes);
    }
    std::expected<int, int> open_tcp_relay(const SocketAddress& own) override { return open_relay(own); }
    bool start_tcp_relay(RelayId id, int socket) override { return start_relay(id, socket); }
    void connect(const PeerConnectionHandle& connection, RelayId id, const SocketAddress& own,
                 const SocketAddress& peer) override {
        dialed.push_back({connection, id, own, peer});
    }
    void carry(const Link& link, const PeerConnectionHandle& connection, int socket) override {
        carried.push_back({link, connection, socket});
    }
    /// A socket that came of a connection with a peer.
    int new_socket(const SocketAddress& of) {
        sockets.emplace(++last_socket, of);
        return last_socket;
    }
    void to_peer(int socket, const SocketAddress& peer, Bytes data, bool dont_fragment) override {
        sent.push_back({sockets.at(socket), peer, std::string(as_text(data)), dont_fragment});
    }
    bool is_own(const IpAddress& address) override { return addresses.contains(address); }
    void began() override { ++begun; }
    void passed(std::size_t in, std::size_t out) override {
        bytes_in += in;
        bytes_out += out;
    }
    bool is_banned(const IpAddress& client) override { return banned.contains(client); }
    void tell(const Story& story) override {
        stories.push_back({story.link.client.to_string(), std::string(story.user), std::string(code(story.reason)),
                           std::string(story.detail), story.relay.port == 0 ? "" : story.relay.to_string(),
                           story.bytes_in, story.bytes_out, story.lasted});
    }
    void suspect(const Link& link) override { suspects.push_back(link.client); }

    /// What a peer sends to a relay, by the relay's own address.
    bool peer_sends(Server& server, const SocketAddress& from, const SocketAddress& own, std::string_view data,
                    Instant now) {
        for (const auto& [socket, id] : started) {
            if (sockets.at(socket) != own) continue;
            server.from_peer(RelayId(id), from, as_bytes(data), now);
            return true;
        }
        return false;
    }
    std::vector<std::string> take(const SocketAddress& client) { return std::exchange(inboxes[client], {}); }

    std::set<SocketAddress> taken;  // by other programs
    std::size_t most_sockets = 10'000;
    bool starts = true;
    std::map<SocketAddress, std::uint32_t> doors;  // that clients reach, and their numbers
    Link last_link;  // that something was sent to
    bool last_may_be_lost = false;
    int last_socket = 0;
    std::set<SocketAddress> bound;
    std::map<int, SocketAddress> sockets;
    std::map<int, RelayId> started;
    std::map<SocketAddress, std::vector<std::string>> inboxes;
    std::vector<ToPeer> sent;
    std::size_t most_held = 64;
    std::vector<HeldBinding> held_bindings;
    struct Dialed {
        PeerConnectionHandle connection;
        RelayId id;
        SocketAddress own, peer;
    };
    struct Carried {
        Link link;
        PeerConnectionHandle connection;
        int socket;
    };
    std::vector<Dialed> dialed;
    std::vector<Carried> carried;
    std::vector<Told> stories;
    std::vector<SocketAddress> suspects;
    std::set<IpAddress> banned;
    std::set<IpAddress> addresses;  // of this machine, beside those that the policy knows
    std::size_t begun = 0, bytes_in = 0, bytes_out = 0;
};

struct Choices {
    std::vector<Credentials::Account> accounts{{"alice", "secret"}, {"bob", "word"}};
    Credentials::Secrets secrets{{"shared"}, SecretHash::sha1};
    std::vector<Network> deny{}, allow{};
    std::vector<IpAddress> own{ip("198.18.0.1")};
};

inline std::shared_ptr<Settings> make_settings(const Choices& choices = {}) {
    return std::make_shared<Settings>(Settings{.credentials = {"example.com", choices.accounts, choices.secrets},
                                               .peers = {choices.deny, choices.allow, choices.own},
                                               .nat_map = {},
                                               .relay_addresses = {}});
}

/// An answer as the client reads it; owns its bytes.
struct Response {
    std::string bytes;
    stun::Message message;

    explicit Response(std::string text) : bytes(std::move(text)), message(*stun::read_message(as_bytes(bytes))) {}
    Response(const Response& other) : Response(other.bytes) {}
    Response& operator=(const Response& other) {
        bytes = other.bytes;
        message = *stun::read_message(as_bytes(bytes));
        return *this;
    }

    bool is_success() const { return message.kind() == Class::success; }
    unsigned error() const {
        const auto value = message.number(Attribute::error_code, 4).value_or(0);
        return static_cast<unsigned>(value >> 8) * 100 + static_cast<unsigned>(value & 0xFF);
    }
};

/// The state that a test moves about in.
struct Scene {
    World world;
    std::shared_ptr<Shared> shared;
    std::shared_ptr<Settings> settings = make_settings();
    Instant now{SteadyTime{1h}, WallTime{std::chrono::seconds(1'800'000'000)}};
    std::unique_ptr<Server> server;

    explicit Scene(std::shared_ptr<Settings> with = make_settings(),
                   std::shared_ptr<Shared> among = std::make_shared<Shared>())
        : shared(std::move(among)),
          settings(std::move(with)),
          server(std::make_unique<Server>(world, *shared, settings, now.steady)) {}

    void pass(Duration time) {
        now.steady += time;
        now.wall += std::chrono::duration_cast<WallTime::duration>(time);
        server->sweep(now);
    }
};

}  // namespace sallyport::turn::testing
