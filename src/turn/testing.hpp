// A world around one TURN server, for tests: sockets are numbers, time is what the test says, and what is sent lies in
// lists. And a client that knows the protocol, written from the RFCs with the server's codec and none of its decisions.
#pragma once

#include "turn/integrity.hpp"
#include "turn/server.hpp"
#include "wire/stun/framing.hpp"

#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>
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

class Client {
public:
    Client(Scene& scene, std::string_view address, std::string user = "alice", std::string password = "secret")
        : scene_(scene),
          link{.client = at(address), .local = at("198.18.0.1:3478"), .number = 1, .transport = Transport::udp},
          user(std::move(user)),
          password(std::move(password)) {}

    using Fill = std::function<void(stun::MessageWriter&)>;

    /// Sends one request as it is and returns the answer; none: there was none.
    std::optional<Response> ask_plain(Method method, const Fill& fill = {}, Class kind = Class::request) {
        return exchange(method, kind, [&](stun::MessageWriter& writer) {
            if (fill) fill(writer);
        });
    }
    /// With credentials, and again with a new nonce when the old one is stale.
    Response ask(Method method, const Fill& fill = {}) { return *try_ask(method, fill); }
    /// The same of a request that need not be answered at once.
    std::optional<Response> try_ask(Method method, const Fill& fill = {}) {
        auto response = ask_signed(method, fill);
        if (!response || (response->error() != 401 && response->error() != 438)) return response;
        take_challenge(*response);
        return ask_signed(method, fill);
    }
    std::optional<Response> ask_signed(Method method, const Fill& fill) {
        return exchange(method, Class::request, [&](stun::MessageWriter& writer) {
            if (fill) fill(writer);
            if (nonce.empty()) return;
            writer.add(Attribute::username, user);
            writer.add(Attribute::realm, realm);
            writer.add(Attribute::nonce, nonce);
            if (algorithm == PasswordAlgorithm::sha256) {
                writer.add(Attribute::password_algorithms, algorithms);
                writer.add_u32(Attribute::password_algorithm, 0x00020000);
            }
            sign(writer, integrity, key().view());
        });
    }

    /// @param protocol  of the relay: 17 UDP, 6 TCP
    Response allocate(const Fill& fill = {}, std::uint8_t protocol = 17) {
        const auto response = ask(Method::allocate, [&](stun::MessageWriter& writer) {
            writer.add_u32(Attribute::requested_transport, std::uint32_t{protocol} << 24);
            if (fill) fill(writer);
        });
        if (const auto relayed = response.message.address(Attribute::xor_relayed_address)) relay = *relayed;
        return response;
    }
    Response permit(const std::vector<std::string>& peers) {
        return ask(Method::create_permission, [&](stun::MessageWriter& writer) {
            for (const auto& peer : peers) writer.add_address(Attribute::xor_peer_address, at(peer));
        });
    }
    Response bind(std::uint16_t channel, std::string_view peer) {
        return ask(Method::channel_bind, [&](stun::MessageWriter& writer) {
            writer.add_u32(Attribute::channel_number, std::uint32_t{channel} << 16);
            writer.add_address(Attribute::xor_peer_address, at(peer));
        });
    }
    Response refresh(std::optional<std::uint32_t> lifetime = {}, std::optional<std::uint8_t> family = {}) {
        return ask(Method::refresh, [&](stun::MessageWriter& writer) {
            if (lifetime) writer.add_u32(Attribute::lifetime, *lifetime);
            if (family) writer.add_u32(Attribute::requested_address_family, std::uint32_t{*family} << 24);
        });
    }
    void send_indication(std::string_view peer, std::string_view data, bool dont_fragment = false) {
        ask_plain(
            Method::send,
            [&](stun::MessageWriter& writer) {
                writer.add_address(Attribute::xor_peer_address, at(peer));
                if (dont_fragment) writer.add_flag(Attribute::dont_fragment);
                writer.add(Attribute::data, data);
            },
            Class::indication);
    }
    void send_channel(std::uint16_t channel, std::string_view data) {
        const auto head = stun::channel_head(channel, data.size());
        send(std::string(as_text(head)) + std::string(data));
    }
    void send(const std::string& bytes) { scene_.server->from_client(link, true, as_bytes(bytes), scene_.now); }

    /// Data that came: "peer=data" from indications, "#4000=data" from channels.
    std::vector<std::string> received() {
        std::vector<std::string> out;
        for (const std::string& bytes : scene_.world.take(link.client)) {
            if (const auto channel = stun::read_channel_data(as_bytes(bytes))) {
                char number[8];
                std::snprintf(number, sizeof number, "#%04x=", channel->number);
                out.push_back(number + std::string(as_text(channel->data)));
                continue;
            }
            const Response message(bytes);
            out.push_back(message.message.address(Attribute::xor_peer_address)->to_string() + "=" +
                          std::string(message.message.text(Attribute::data)));
        }
        return out;
    }

    void take_challenge(const Response& response) {
        realm = response.message.text(Attribute::realm);
        nonce = response.message.text(Attribute::nonce);
        algorithms = response.message.text(Attribute::password_algorithms);
    }
    Key key() const { return long_term_key(algorithm, user, realm, password); }
    Allocation* allocation() { return scene_.server->table().find(link); }

private:
    std::optional<Response> exchange(Method method, Class kind, const Fill& fill) {
        std::array<std::byte, 4096> room;
        if (!repeat) ++transaction;
        stun::TransactionId id{};
        for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<std::byte>(transaction >> (8 * i));
        stun::MessageWriter writer(room, kind, method, id);
        fill(writer);
        last_request = as_text(*writer.finish());
        scene_.server->from_client(link, relays, as_bytes(last_request), scene_.now);
        auto& inbox = scene_.world.inboxes[link.client];
        if (inbox.empty() || kind != Class::request) return std::nullopt;
        Response response(inbox.back());
        inbox.pop_back();
        return response;
    }

    Scene& scene_;

public:
    Link link;
    bool relays = true;  // the socket's
    bool repeat = false;  // the next request bears the last one's transaction
    std::uint32_t transaction = 0;
    std::string user, password, realm, nonce, algorithms;
    PasswordAlgorithm algorithm = PasswordAlgorithm::md5;
    Attribute integrity = Attribute::message_integrity;
    SocketAddress relay;  // as the server named it
    std::string last_request;  // or indication
};

}  // namespace sallyport::turn::testing
