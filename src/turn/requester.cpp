#include "turn/requester.hpp"

#include "crypto/hash.hpp"

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;
using stun::Method;

namespace {

constexpr std::uint32_t transport_udp = 17U << 24;  // REQUESTED-TRANSPORT: the protocol and three zeros

}  // namespace

Bytes Requester::request(Method method, const Add& add) {
    crypto::fill_random(transaction_);
    stun::MessageWriter writer(room_, Class::request, method, transaction_);
    if (add) add(writer);
    if (!realm_.empty() && method != Method::binding) {
        writer.add(Attribute::username, user_);
        writer.add(Attribute::realm, realm_);
        writer.add(Attribute::nonce, nonce_);
        sign(writer, Attribute::message_integrity, key_.view());
    }
    return writer.finish().value_or(Bytes{});
}

Bytes Requester::allocate() {
    return request(Method::allocate,
                   [](stun::MessageWriter& writer) { writer.add_u32(Attribute::requested_transport, transport_udp); });
}

Bytes Requester::refresh(std::uint32_t lifetime) {
    return request(Method::refresh,
                   [&](stun::MessageWriter& writer) { writer.add_u32(Attribute::lifetime, lifetime); });
}

Bytes Requester::permit(const IpAddress& peer) {
    return request(Method::create_permission,
                   [&](stun::MessageWriter& writer) { writer.add_address(Attribute::xor_peer_address, {peer, 0}); });
}

Bytes Requester::bind_channel(std::uint16_t number, const SocketAddress& peer) {
    return request(Method::channel_bind, [&](stun::MessageWriter& writer) {
        writer.add_u32(Attribute::channel_number, std::uint32_t{number} << 16);
        writer.add_address(Attribute::xor_peer_address, peer);
    });
}

Bytes Requester::indicate(const SocketAddress& peer, Bytes data) {
    stun::MessageWriter writer(room_, Class::indication, Method::send, transaction_);
    writer.add_address(Attribute::xor_peer_address, peer);
    writer.add(Attribute::data, data);
    return writer.finish().value_or(Bytes{});
}

Requester::Answer Requester::take(Bytes bytes) {
    const auto message = stun::read_message(bytes);
    if (!message || message->transaction() != transaction_) return {};
    if (message->kind() == Class::success) {
        return {.kind = Answer::Kind::done,
                .mapped = message->address(Attribute::xor_mapped_address),
                .relayed = message->address(Attribute::xor_relayed_address)};
    }
    if (message->kind() != Class::error) return {};
    // ERROR-CODE: two bytes of nothing, the hundreds, and what is below a hundred (RFC 8489 section 14.8).
    const std::uint64_t error = message->number(Attribute::error_code, 4).value_or(0);
    const auto code = static_cast<std::uint16_t>((error >> 8 & 7) * 100 + (error & 0xFF));
    const bool is_first = code == 401 && realm_.empty();
    const bool goes_on = (is_first || code == 438) && learn(*message);
    return {.kind = goes_on ? Answer::Kind::again : Answer::Kind::refused, .code = code};
}

bool Requester::learn(const stun::Message& challenge) {
    if (!challenge.has(Attribute::realm) || !challenge.has(Attribute::nonce)) return false;
    realm_ = challenge.text(Attribute::realm);
    nonce_ = challenge.text(Attribute::nonce);
    key_ = long_term_key(PasswordAlgorithm::md5, user_, opaque_string(realm_), password_);
    return true;
}

}  // namespace sallyport::turn
