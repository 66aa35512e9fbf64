// Allocate (RFC 8656 section 7), and how allocations begin and end.
#include "turn/server_answer.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sallyport::turn {

using stun::Attribute;
using stun::Class;
using telemetry::Reason;

namespace {

constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t protocol_tcp = 6;
constexpr unsigned even_port_reserve = 0x80;  // the R bit

std::uint64_t as_number(Bytes token) { return ByteReader(token).u64().value_or(0); }

}  // namespace

struct Server::Wanted {
    std::array<bool, 2> families{};  // IPv4, IPv6
    bool second_may_fail = false;    // ADDITIONAL-ADDRESS-FAMILY: IPv4 alone is an answer too
    bool tcp = false;
    bool even = false;
    bool reserve = false;
    std::optional<std::uint64_t> token = {};
};

void Server::allocate(const Call& call, const Identity& identity) {
    if (Allocation* present = table_.find(call.link)) {
        // The answer was lost and the request repeated: RFC 8656 section 7.2.
        const bool repeated = present->transaction == call.message.transaction() && present->user == identity.user;
        return repeated ? answer_allocated(call, identity, *present) : refuse(call, 437, &identity);
    }
    const auto wanted = read_wanted(call);
    if (!wanted) return refuse(call, wanted.error(), &identity);
    if (const auto made = make(call, identity, *wanted); !made) return refuse(call, made.error(), &identity);
    outlet_.began();
    answer_allocated(call, identity, *table_.find(call.link));
}

std::expected<Server::Wanted, std::uint16_t> Server::read_wanted(const Call& call) const {
    const stun::Message& message = call.message;
    const auto protocol = message.number(Attribute::requested_transport, 1);
    if (!protocol) return Refused(400);
    const bool tcp = *protocol == protocol_tcp;
    if (*protocol != protocol_udp && !(tcp && settings_->tcp_relays)) return Refused(442);
    const auto family = message.number(Attribute::requested_address_family, 1);
    const auto additional = message.number(Attribute::additional_address_family, 1);
    const auto even = message.number(Attribute::even_port, 1);
    const bool has_token = message.has(Attribute::reservation_token);
    Wanted wanted{.tcp = tcp, .even = even.has_value(), .reserve = even && (*even & even_port_reserve) != 0};
    // RFC 6062 section 5.1: over a stream, and without what has no meaning for TCP.
    if (tcp && (!is_stream(call.link.transport) || has_token || even || message.has(Attribute::dont_fragment)))
        return Refused(400);
    if (has_token && (family || additional || even)) return Refused(400);
    if (additional && (family || wanted.reserve || *additional != family_v6)) return Refused(400);
    if (family && *family != family_v4 && *family != family_v6) return Refused(440);
    if (has_token) wanted.token = as_number(message.value(Attribute::reservation_token));
    wanted.families = {family != family_v6, family == family_v6 || additional.has_value()};
    wanted.second_may_fail = additional.has_value();
    return wanted;
}

std::expected<void, std::uint16_t> Server::make(const Call& call, const Identity& identity, const Wanted& wanted) {
    if (draining_) return Refused(508);
    const auto holding = take_quota(identity, wanted);
    if (!holding) {
        const std::string_view limit =
            holding.error() == Quotas::Refused::user ? "allocations_per_user" : "allocations";
        outlet_.tell({.link = call.link, .user = identity.user, .reason = Reason::turn_quota, .detail = limit});
        return Refused(486);
    }
    const std::uint32_t index = table_.add(call.link);
    Allocation& allocation = table_.at(index);
    allocation.holding = *holding;
    allocation.user = identity.user;
    allocation.is_tcp = wanted.tcp;
    allocation.key = identity.key;
    allocation.transaction = call.message.transaction();
    allocation.since = allocation.last_used = seconds(call.now.steady);
    if (const auto opened = open_relays(call, wanted, index); !opened) {
        for (Relay& relay : allocation.relays) close(relay);
        table_.remove(index);
        shared_.quotas.close(*holding);
        if (opened.error() == 508)
            outlet_.tell({.link = call.link, .user = identity.user, .reason = Reason::turn_ports, .detail = {}});
        return Refused(opened.error());
    }
    return {};
}

// A port that is kept for the other half of a pair outlives the allocation that it was asked for with: of these one
// user may have as many as of allocations.
std::expected<Holding*, Quotas::Refused> Server::take_quota(const Identity& identity, const Wanted& wanted) {
    const std::uint32_t most = settings_->allocations.per_user;
    if (wanted.reserve && most != 0 && shared_.reservations.size_of(identity.quota_of) >= most)
        return std::unexpected(Quotas::Refused::user);
    return shared_.quotas.open(identity.quota_of, settings_->allocations);
}

std::expected<void, std::uint16_t> Server::open_relays(const Call& call, const Wanted& wanted, std::uint32_t index) {
    Allocation& allocation = table_.at(index);
    const Seconds until = seconds(call.now.steady) + lifetime_of(call.message);
    if (wanted.token) {
        const auto kept = shared_.reservations.take(*wanted.token, call.now.steady);
        if (!kept) return Refused(508);
        return start({index, !kept->own.ip.is_v4()}, {.own = kept->own, .socket = kept->socket, .until = until});
    }
    for (const bool is_v6 : {false, true}) {
        if (!wanted.families[is_v6]) continue;
        const auto opened = open_and_start(call, wanted, {index, is_v6}, until);
        if (opened) continue;
        if (!is_v6 || !wanted.second_may_fail) return opened;
        allocation.second_family_error = opened.error();
    }
    return {};
}

std::expected<void, std::uint16_t> Server::open_and_start(const Call& call, const Wanted& wanted, RelayId id,
                                                          Seconds until) {
    auto relay = open_relay(call, wanted, id);
    if (!relay) return Refused(relay.error());
    relay->until = until;
    return start(id, *relay);
}

std::optional<IpAddress> Server::relay_address(const Link& link, bool is_v6) const {
    const auto of_family = [&](const IpAddress& address) { return address.is_v4() != is_v6; };
    const auto found = std::ranges::find_if(settings_->relay_addresses, of_family);
    if (found != settings_->relay_addresses.end()) return *found;
    if (of_family(link.local.ip) && !link.local.ip.is_unspecified()) return link.local.ip;
    return std::nullopt;
}

std::expected<Relay, std::uint16_t> Server::open_relay(const Call& call, const Wanted& wanted, RelayId id) {
    const auto address = relay_address(call.link, id.is_v6);
    if (!address) return Refused(440);
    PortPicker picker(settings_->first_relay_port, settings_->last_relay_port);
    while (const auto port = picker.next()) {
        if (wanted.even && *port % 2 != 0) continue;
        const SocketAddress own{*address, *port};
        const auto socket = open_socket(own, wanted.tcp);
        if (!socket && socket.error() == EADDRINUSE) continue;
        if (!socket) return Refused(508);
        const Relay relay{.own = own, .socket = *socket, .is_tcp = wanted.tcp};
        if (!wanted.reserve) return relay;
        Allocation& allocation = table_.at(id.allocation);
        const auto token = reserve_next(relay, allocation.holding->user, call.now);
        if (token) allocation.reservation = *token;
        if (token) return relay;
        outlet_.close_relay(*socket);
        shared_.live.remove(*port);
        if (token.error() != EADDRINUSE) return Refused(508);
    }
    return Refused(508);
}

// It lives from then on. TCP's sockets would share their port with others of this program: the claim is what keeps
// them apart. The error is errno.
std::expected<int, int> Server::open_socket(const SocketAddress& own, bool tcp) {
    if (!live_relays(tcp).claim(own)) return std::unexpected(EADDRINUSE);
    const auto socket = tcp ? outlet_.open_tcp_relay(own) : outlet_.open_relay(own);
    if (!socket) live_relays(tcp).remove(own.port);
    return socket;
}

// The error is errno: with EADDRINUSE another pair may do.
std::expected<std::uint64_t, std::uint16_t> Server::reserve_next(const Relay& relay, std::string_view user,
                                                                 Instant now) {
    const SocketAddress next{relay.own.ip, static_cast<std::uint16_t>(relay.own.port + 1)};
    if (next.port > settings_->last_relay_port || next.port == 0) return Refused(EADDRINUSE);
    const auto socket = open_socket(next, false);
    if (!socket) return Refused(static_cast<std::uint16_t>(socket.error()));
    const auto token = shared_.reservations.keep(next, *socket, user, now.steady);
    if (token) return *token;
    outlet_.close_relay(*socket);
    shared_.live.remove(next.port);
    return Refused(ENOSPC);
}

// From here on the relay is the allocation's; it lives already.
std::expected<void, std::uint16_t> Server::start(RelayId id, const Relay& relay) {
    Relay& place = table_.at(id.allocation).relays[id.is_v6];
    place = relay;
    if (!relay.is_tcp) table_.add_relay(id);
    const bool started =
        relay.is_tcp ? outlet_.start_tcp_relay(id, relay.socket) : outlet_.start_relay(id, relay.socket);
    if (started) return {};
    forget(place);
    return Refused(508);
}

void Server::close(Relay& relay) {
    if (!relay.is_open()) return;
    outlet_.close_relay(relay.socket);
    forget(relay);
}

void Server::forget(Relay& relay) {
    if (!relay.is_tcp) table_.remove_relay(relay.own);
    live_relays(relay.is_tcp).remove(relay.own.port);
    relay = {};
}

void Server::answer_allocated(const Call& call, const Identity& identity, const Allocation& allocation) {
    Answer answer(call, Class::success);
    const Seconds now = seconds(call.now.steady);
    for (const Relay& relay : allocation.relays) {
        if (relay.is_open())
            answer.writer.add_address(Attribute::xor_relayed_address,
                                      {settings_->nat_map.outside_of(relay.own.ip), relay.own.port});
    }
    const Seconds until = allocation.until();
    answer.writer.add_u32(Attribute::lifetime, until > now ? until - now : 0);
    if (allocation.reservation != 0) {
        std::array<std::byte, 8> token;
        ByteWriter(token).u64(allocation.reservation);
        answer.writer.add(Attribute::reservation_token, Bytes(token));
    }
    if (allocation.second_family_error != 0) answer.writer.add_family_error(family_v6, allocation.second_family_error);
    answer.writer.add_address(Attribute::xor_mapped_address, call.link.client);
    send(call, answer, &identity);
}

Seconds Server::lifetime_of(const stun::Message& message) const {
    const auto most = static_cast<std::uint64_t>(settings_->longest_lifetime / std::chrono::seconds(1));
    const std::uint64_t asked = message.number(Attribute::lifetime, 4).value_or(default_lifetime);
    return static_cast<Seconds>(std::min(std::max<std::uint64_t>(asked, default_lifetime), most));
}

void Server::end(std::uint32_t index, Reason reason, std::string_view detail, Instant now) {
    Allocation& allocation = table_.at(index);
    for (TcpPeer& peer : allocation.peers) end_peer(peer);
    sweep_peers(allocation, seconds(now.steady));
    const Relay& shown = allocation.relays[allocation.relays[0].is_open() ? 0 : 1];
    const SocketAddress relay{settings_->nat_map.outside_of(shown.own.ip), shown.own.port};
    outlet_.tell({.link = allocation.link,
                  .user = allocation.user,
                  .reason = reason,
                  .detail = detail,
                  .relay = relay,
                  .bytes_in = allocation.bytes_in,
                  .bytes_out = allocation.bytes_out,
                  .lasted = std::chrono::seconds(seconds(now.steady) - allocation.since)});
    for (Relay& one : allocation.relays) close(one);
    shared_.quotas.close(allocation.holding);
    table_.remove(index);
}

}  // namespace sallyport::turn
