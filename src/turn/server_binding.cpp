// Binding: how a client's request arrived (RFC 8489), how its NAT behaves (RFC 5780), and both for clients that are
// older than either (RFC 3489).
#include "turn/server_answer.hpp"

#include <algorithm>
#include <array>

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;

namespace {

// The bits of CHANGE-REQUEST (RFC 5780 section 7.2).
constexpr std::uint32_t change_address = 0x04;
constexpr std::uint32_t change_port = 0x02;

}  // namespace

void Server::take_binding(const Call& call) {
    if (!bindings_.take(call.link.client.ip, settings_->bindings_per_second, call.now.steady)) {
        tally_.muted.add(1);
        return;
    }
    tally_.bindings.add(1);
    if (hold(call)) return;
    for (const DiscoveryPlaces& places : settings_->discovery) {
        const bool is_here = call.link.transport == Transport::udp && places.other(call.link.local, false, false);
        if (is_here) return discover(call, places);
    }
    answer_binding(call);
}

void Server::answer_binding(const Call& call) {
    // Clients of RFC 3489 send a CHANGE-REQUEST also where they want nothing changed.
    const bool changes_nothing = call.message.is_classic() && call.message.number(Attribute::change_request, 4) == 0;
    const Unknown unknown(call.message, std::span(unserved).subspan(changes_nothing ? 1 : 0));
    if (unknown.count != 0) {
        Answer answer(call, Class::error);
        answer.writer.add_error(420);
        answer.writer.add_unknown(unknown.all());
        return send(call, answer, nullptr);
    }
    Answer answer(call, Class::success);
    const bool is_classic = call.message.is_classic();
    answer.writer.add_address(is_classic ? Attribute::mapped_address : Attribute::xor_mapped_address, call.link.client);
    send(call, answer, nullptr);
}

// A plain Binding of a client behind this machine's own NAT, which it did not pass on its way here.
bool Server::hold(const Call& call) {
    const SocketAddress& client = call.link.client;
    const auto holds = [&](const Network& network) { return network.contains(client.ip); };
    if (call.link.transport != Transport::udp || std::ranges::none_of(settings_->kernel_nat, holds)) return false;
    if (call.message.number(Attribute::change_request, 4).value_or(0) != 0) return false;
    if (Unknown(call.message, std::span(unserved).subspan(1)).count != 0) return false;
    return outlet_.look_up(
        {call.link, call.message.transaction(), call.message.cookie(), call.message.has(Attribute::fingerprint)});
}

void Server::answer_held(const HeldBinding& held, const std::optional<SocketAddress>& mapped) {
    Answer answer(Class::success, stun::Method::binding, held.transaction, held.cookie);
    const bool is_classic = held.cookie != stun::magic_cookie;
    answer.writer.add_address(is_classic ? Attribute::mapped_address : Attribute::xor_mapped_address,
                              mapped.value_or(held.link.client));
    if (held.has_fingerprint) answer.writer.add_fingerprint();
    if (const auto bytes = answer.writer.finish()) outlet_.to_client(held.link, {.head = *bytes});
}

// RFC 5780 section 6.1. All addresses are told as the outside knows them.
void Server::discover(const Call& call, const DiscoveryPlaces& places) {
    const stun::Message& message = call.message;
    const Unknown unknown(message, {});
    if (unknown.count != 0) {
        Answer answer(call, Class::error);
        answer.writer.add_error(420);
        answer.writer.add_unknown(unknown.all());
        return send(call, answer, nullptr);
    }
    const auto response_port = message.number(Attribute::response_port, 2);
    const bool pads = message.has(Attribute::padding);
    if (message.bad_attribute() || response_port == 0 || (response_port && pads)) return refuse(call, 400, nullptr);
    const std::uint64_t change = message.number(Attribute::change_request, 4).value_or(0);
    const SocketAddress local = call.link.local;
    const SocketAddress origin = *places.other(local, (change & change_address) != 0, (change & change_port) != 0);
    const auto outside = [&](const SocketAddress& own) {
        return SocketAddress{settings_->nat_map.outside_of(own.ip), own.port};
    };
    const SocketAddress other = outside(*places.other(local, true, true));
    Answer answer(call, Class::success);
    if (!message.is_classic()) answer.writer.add_address(Attribute::xor_mapped_address, call.link.client);
    answer.writer.add_address(Attribute::mapped_address, call.link.client);
    answer.writer.add_address(message.is_classic() ? Attribute::source_address : Attribute::response_origin,
                              outside(origin));
    answer.writer.add_address(message.is_classic() ? Attribute::changed_address : Attribute::other_address, other);
    // Never more than came: whoever forges a client's address must gain nothing.
    static constexpr std::array<std::byte, most_padding> zeros{};
    if (pads)
        answer.writer.add(Attribute::padding,
                          Bytes(zeros).first(std::min(most_padding, message.value(Attribute::padding).size())));
    Link from = call.link;
    if (response_port) from.client.port = static_cast<std::uint16_t>(*response_port);
    if (origin != local) from.number = outlet_.number_at(origin);
    from.local = origin;
    if (from.number != 0) send({from, message, call.now}, answer, nullptr);
}

}  // namespace sallyport::turn
