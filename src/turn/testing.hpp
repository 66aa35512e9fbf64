// For tests of a TURN server: a client in its world that knows the protocol, written from the RFCs with the server's
// codec and none of its decisions.
#pragma once

#include "turn/integrity.hpp"
#include "turn/world_testing.hpp"
#include "wire/stun/framing.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::turn::testing {

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
