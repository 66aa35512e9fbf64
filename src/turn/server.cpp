#include "turn/server.hpp"

#include "turn/server_answer.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;
using stun::Method;

namespace {

// PASSWORD-ALGORITHMS, best first (RFC 8489 sections 14.11 and 18.5): SHA-256, MD5, both without parameters.
constexpr std::array<std::byte, 8> offered{std::byte{0}, std::byte{2}, std::byte{0}, std::byte{0},
                                           std::byte{0}, std::byte{1}, std::byte{0}, std::byte{0}};

// RFC 8489 section 9.2.4: what the algorithms of a request must be. Nothing: the request is a bad one.
std::optional<PasswordAlgorithm> algorithm_of(const stun::Message& message) {
    const bool one = message.has(Attribute::password_algorithm);
    const bool all = message.has(Attribute::password_algorithms);
    if (!Nonces::offers_algorithms(message.text(Attribute::nonce)) || (!one && !all)) return PasswordAlgorithm::md5;
    if (!one || !all || !std::ranges::equal(message.value(Attribute::password_algorithms), Bytes(offered)))
        return std::nullopt;
    const Bytes value = message.value(Attribute::password_algorithm);
    for (const Bytes known : {Bytes(offered).first(4), Bytes(offered).last(4)}) {
        if (std::ranges::equal(value, known))
            return static_cast<PasswordAlgorithm>(std::to_integer<std::uint16_t>(known[1]));
    }
    return std::nullopt;
}

// Whose a nonce is. A client of streams has several connections, one for each of its peers (RFC 6062), and takes one
// nonce for all of them; that it is where it says is known by each.
SocketAddress holder_of(const Link& link) {
    return {link.client.ip, is_stream(link.transport) ? std::uint16_t{0} : link.client.port};
}

}  // namespace

Server::Server(Outlet& outlet, Shared& shared, SettingsHandle settings, SteadyTime start)
    : outlet_(outlet), shared_(shared), settings_(std::move(settings)), start_(start) {}

Server::~Server() = default;

Seconds Server::seconds(SteadyTime at) const {
    return static_cast<Seconds>(1 + (at - start_) / std::chrono::seconds(1));  // 0 is before everything
}

void Server::from_client(const Link& link, bool relays, Bytes bytes, Instant now) {
    const auto kind = bytes.empty() ? stun::PacketKind::other : stun::kind_of(bytes[0]);
    if (kind == stun::PacketKind::channel_data && relays)
        relay_channel_data(link, bytes, now);
    else if (kind == stun::PacketKind::stun)
        take_message(link, relays, bytes, now);
    else
        tally_.malformed.add(1);
}

void Server::take_message(const Link& link, bool relays, Bytes bytes, Instant now) {
    const auto message = stun::read_message(bytes, is_stream(link.transport) ? stun::Classic::no : stun::Classic::yes);
    if (!message || (message->has(Attribute::fingerprint) && !message->has_valid_fingerprint())) {
        tally_.malformed.add(1);
        return;
    }
    const Call call{link, *message, now};
    const bool is_request = message->kind() == Class::request;
    if (is_request && message->method() == Method::binding)
        take_binding(call);
    else if (message->is_classic())
        tally_.malformed.add(1);
    else if (is_request && relays)
        answer_request(call);
    else if (relays && message->kind() == Class::indication && message->method() == Method::send)
        relay_indication(call);
    // Binding indications keep a NAT's mapping alive, and responses are nobody's here: nothing is due to either.
}

void Server::answer_request(const Call& call) {
    Allocation* allocation = table_.find(call.link);
    const bool is_new = allocation == nullptr || call.message.method() == Method::allocate;
    if (is_new && outlet_.is_banned(call.link.client.ip)) {
        tally_.muted.add(1);
        return;
    }
    const auto identity = authenticate(call);
    if (!identity) return challenge(call, identity.error());
    const Unknown unknown(call.message, unserved);
    if (unknown.count != 0) {
        Answer answer(call, Class::error);
        answer.writer.add_error(420);
        answer.writer.add_unknown(unknown.all());
        return send(call, answer, &*identity);
    }
    if (call.message.method() == Method::allocate) return allocate(call, *identity);
    if (call.message.method() == Method::connection_bind) return bind_connection(call, *identity);
    if (allocation == nullptr) return refuse(call, 437, &*identity);
    if (allocation->user != identity->user) return refuse(call, 441, &*identity);
    switch (call.message.method()) {
        case Method::refresh: return refresh(call, *identity, *allocation);
        case Method::create_permission: return create_permission(call, *identity, *allocation);
        case Method::channel_bind: return bind_channel(call, *identity, *allocation);
        case Method::connect: return connect(call, *identity, *allocation);
        default: return refuse(call, 400, &*identity);
    }
}

// RFC 8489 section 9.2.4, in its order; but a nonce that is not ours is said so before anything is looked up.
std::expected<Server::Identity, Server::Unproven> Server::authenticate(const Call& call) {
    const auto unproven = [](std::uint16_t code) { return std::unexpected(Unproven{code}); };
    const stun::Message& message = call.message;
    if (!message.has(Attribute::message_integrity) && !message.has(Attribute::message_integrity_sha256))
        return unproven(401);
    const bool names_user = message.has(Attribute::username) || message.has(Attribute::userhash);
    if (message.bad_attribute() || !names_user || !message.has(Attribute::realm) || !message.has(Attribute::nonce))
        return unproven(400);
    const auto algorithm = algorithm_of(message);
    if (!algorithm) return unproven(400);
    if (!shared_.nonces.is_valid(message.text(Attribute::nonce), holder_of(call.link), call.now.wall))
        return unproven(438);
    if (message.text(Attribute::realm) != settings_->credentials.realm()) return unproven(401);
    return verify_credentials(call, *algorithm);
}

std::expected<Server::Identity, Server::Unproven> Server::verify_credentials(const Call& call,
                                                                             PasswordAlgorithm algorithm) {
    const bool is_sha256 = call.message.has(Attribute::message_integrity_sha256);
    const Attribute kind = is_sha256 ? Attribute::message_integrity_sha256 : Attribute::message_integrity;
    auto found = candidates(call, algorithm);
    for (const Key& key : found ? found->keys : std::vector<Key>{}) {
        if (!verify(call.message, kind, key.view())) continue;
        return Identity{std::move(found->user), std::move(found->quota_of), key, kind};
    }
    const bool is_known = found.has_value();
    return std::unexpected(
        Unproven{401, is_known ? "wrong password" : "unknown user, or a time-limited one whose time is over"});
}

// The key of an allocation holds for as long as that lives: a reload changes no call, nor does the end of a
// time-limited credential, unless it is asked to. What the configuration says now opens it as well: a new realm is told
// to the client, who makes another key of it.
std::optional<Candidates> Server::candidates(const Call& call, PasswordAlgorithm algorithm) {
    const stun::Message& message = call.message;
    const Credentials& credentials = settings_->credentials;
    const bool is_named = message.has(Attribute::username);
    const std::string_view user = message.text(is_named ? Attribute::username : Attribute::userhash);
    auto found = is_named ? credentials.find(user, algorithm, call.now.wall) : credentials.find_hashed(user, algorithm);
    const Allocation* allocation = table_.find(call.link);
    const bool is_kept = allocation != nullptr && settings_->refresh_after_expiry &&
                         allocation->key.algorithm == algorithm &&
                         user == (is_named ? allocation->user : userhash_of(allocation->user, credentials.realm()));
    if (!is_kept) return found;
    if (!found) found = Candidates{allocation->user, allocation->holding->user, {}};
    found->keys.push_back(allocation->key);
    return found;
}

// Small, without a phrase, and not to everybody: whoever forges a client's address sends this to a victim. Who guesses
// passwords fills the log no faster.
void Server::challenge(const Call& call, const Unproven& why) {
    if (!challenges_.take(call.link.client.ip, settings_->challenges_per_second, call.now.steady)) {
        tally_.muted.add(1);
        return;
    }
    tally_.challenges.add(1);
    if (!why.detail.empty()) {
        outlet_.suspect(call.link);
        outlet_.tell({.link = call.link,
                      .user = call.message.text(Attribute::username),
                      .reason = telemetry::Reason::turn_credentials,
                      .detail = why.detail});
    }
    Answer answer(call, Class::error);
    answer.writer.add_error(why.code);
    if (why.code != 400) {
        const auto nonce = shared_.nonces.make(holder_of(call.link), call.now.wall);
        answer.writer.add(Attribute::realm, settings_->credentials.realm());
        answer.writer.add(Attribute::nonce, std::string_view(nonce.data(), nonce.size()));
        answer.writer.add(Attribute::password_algorithms, Bytes(offered));
    }
    send(call, answer, nullptr);
}

void Server::refuse(const Call& call, std::uint16_t code, const Identity* signer) {
    Answer answer(call, Class::error);
    answer.writer.add_error(code);
    send(call, answer, signer);
}

void Server::send(const Call& call, Answer& answer, const Identity* signer) {
    if (signer != nullptr) sign(answer.writer, signer->kind, signer->key.view());
    if (call.message.has(Attribute::fingerprint)) answer.writer.add_fingerprint();
    if (const auto bytes = answer.writer.finish()) outlet_.to_client(call.link, {.head = *bytes});
}

void Server::link_ended(const Link& link, Instant now) {
    if (table_.find(link) != nullptr) end(table_.index_of(link), telemetry::Reason::ok, "the connection ended", now);
}

void Server::sweep(Instant now) {
    const Seconds at = seconds(now.steady);
    table_.for_each([&](std::uint32_t index, Allocation& allocation) {
        if (allocation.until() <= at) return end(index, telemetry::Reason::ok, "its lifetime ran out", now);
        for (Relay& relay : allocation.relays) {
            if (relay.is_open() && relay.until <= at) close(relay);
        }
        sweep_peers(allocation, at);
    });
    for (const auto& kept : shared_.reservations.take_expired(now.steady)) {
        shared_.live.remove(kept.own.port);
        outlet_.close_relay(kept.socket);
    }
}

void Server::end_all(telemetry::Reason reason, Instant now) {
    table_.for_each([&](std::uint32_t index, Allocation&) { end(index, reason, {}, now); });
}

}  // namespace sallyport::turn
