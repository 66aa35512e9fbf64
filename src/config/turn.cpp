// How the types of [turn] are written, and what its keys ask of one another.
#include "config/turn.hpp"

#include "base/text.hpp"
#include "config/turn_checks.hpp"
#include "config/values.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace sallyport::config {

namespace {

constexpr std::uint64_t most_bits = 1'000'000'000'000;  // a second: what no node of these years relays

std::string where(const Place& place) { return place.file + ':' + std::to_string(place.line); }

// DTLS has its ports for itself.
void check_dtls_ports(const Config& config, Findings& findings) {
    for (const auto& listen : config.turn.dtls) {
        const auto check = [&](const std::vector<Located<ListenAddress>>& others, std::string_view who) {
            const auto taken = std::ranges::find_if(
                others, [&](const auto& other) { return &other != &listen && overlap(other.value, listen.value); });
            if (taken == others.end() || (&others == &config.turn.dtls && &*taken > &listen)) return;
            findings.error(listen.place, {"dtls: " + quote(listen.value.to_string()) + " is taken by " +
                                              std::string(who) + ' ' + quote(taken->value.to_string()),
                                          "at " + where(taken->place) + ": a port has one use"});
        };
        check(config.turn.dtls, "dtls");
        check(config.turn.udp, "udp");
        check(config.stun.listen, "[stun] listen");
    }
}

void check_discovery(const Stun& stun, Findings& findings) {
    if (!stun.alternate_port) return;
    const auto pairs = discovery_pairs(stun);
    for (const auto& listen : stun.listen) {
        const SocketAddress& own = listen.value.address;
        const bool is_paired =
            std::ranges::any_of(pairs, [&](const auto& pair) { return std::ranges::find(pair, own) != pair.end(); });
        if (!is_paired)
            findings.error(listen.place, {"listen: " + quote(listen.value.to_string()) + " is not one of two",
                                          "alternate_port needs two addresses of each family, on one port"});
        if (own.port == *stun.alternate_port)
            findings.error(listen.place, {"listen: " + quote(listen.value.to_string()) + " is on alternate_port",
                                          "take another port for the one or the other"});
    }
}

// UDP ports: they have nothing to do with those of [listen], which are TCP's.
void check_udp_ports(const Config& config, Findings& findings) {
    for (const auto& listen : config.turn.udp) {
        const auto twice =
            std::ranges::count_if(config.turn.udp, [&](const auto& other) { return other.value == listen.value; });
        if (twice > 1 && &listen != &config.turn.udp.front())
            findings.error(listen.place, {"udp: " + quote(listen.value.to_string()) + " stands twice"});
    }
    const auto& range = config.turn.relay_ports;
    const auto overlaps = [&](const std::vector<Located<ListenAddress>>& addresses, std::string_view key) {
        for (const auto& listen : addresses) {
            const std::uint16_t port = listen.value.address.port;
            if (port < range.value.first || port > range.value.last) continue;
            findings.error(listen.place,
                           {std::string(key) + ": " + quote(listen.value.to_string()) + " is a port of relay_ports",
                            "clients could reach it through a relay: take another port"});
        }
    };
    overlaps(config.turn.udp, "udp");
    overlaps(config.turn.dtls, "dtls");
    overlaps(config.stun.listen, "listen");
}

void check_relay_addresses(const Turn& turn, Findings& findings) {
    for (std::size_t i = 1; i < turn.relay_address.size(); ++i) {
        const auto& later = turn.relay_address[i];
        const bool again = std::any_of(turn.relay_address.begin(), turn.relay_address.begin() + static_cast<long>(i),
                                       [&](const auto& one) { return one.value.is_v4() == later.value.is_v4(); });
        if (again)
            findings.error(later.place, {"relay_address: " + quote(later.value.to_string()) +
                                         " is the second of its family; relays take one of each"});
    }
}

void check_users(const Config& config, Findings& findings) {
    std::map<std::string, Place> seen;
    for (const TurnUser& user : config.turn_users) {
        const auto [first, fresh] = seen.try_emplace(user.name.value, user.name.place);
        if (!fresh && !user.name.value.empty())
            findings.error(user.name.place, {"name: user " + quote(user.name.value) + " stands twice",
                                             "first at " + where(first->second)});
        if (user.password.value.empty() == user.password_file.value.empty())
            findings.error(user.place, {"[[turn.user]] needs a password",
                                        "write password or password_file, one of "
                                        "the two"});
    }
}

}  // namespace

Result<void, Complaint> from_text(const Reading&, std::string_view text, BitRate& out) {
    constexpr std::string_view units = "kMG";
    std::uint64_t factor = 1;
    std::string_view digits = text;
    if (const auto unit = text.empty() ? std::string_view::npos : units.find(text.back());
        unit != std::string_view::npos) {
        for (std::size_t i = 0; i <= unit; ++i) factor *= 1000;
        digits.remove_suffix(1);
    }
    const auto number = parse_number<std::uint64_t>(digits);
    if (!number || *number > most_bits / factor)
        return fail(
            Complaint{quote(text) + " is not a bit rate", "such as \"500k\", \"20M\", \"1G\", or \"0\" for no limit"});
    out.value = *number * factor;
    return {};
}

std::vector<std::array<SocketAddress, 2>> discovery_pairs(const Stun& stun) {
    std::vector<std::array<SocketAddress, 2>> out;
    for (const bool is_v4 : {true, false}) {
        std::vector<SocketAddress> own;
        for (const auto& listen : stun.listen) {
            const IpAddress& ip = listen.value.address.ip;
            if (ip.is_v4() == is_v4 && !ip.is_unspecified()) own.push_back(listen.value.address);
        }
        const bool is_pair = own.size() == 2 && own[0].port == own[1].port && own[0].ip != own[1].ip;
        if (is_pair && stun.alternate_port) out.push_back({own[0], own[1]});
    }
    return out;
}

void check_turn(const Config& config, Findings& findings) {
    const Turn& turn = config.turn;
    check_udp_ports(config, findings);
    check_dtls_ports(config, findings);
    check_discovery(config.stun, findings);
    check_relay_addresses(turn, findings);
    check_users(config, findings);
    const auto& mux = config.mux_takes_turn() ? config.listen.mux : Turn::Addresses{};
    for (const Turn::Addresses* addresses : {&turn.udp, &turn.tcp, &turn.tls, &turn.dtls, &mux}) {
        if (addresses->empty()) continue;
        const Place& place = addresses == &mux ? turn.realm.place : addresses->front().place;
        if (turn.realm.value.empty())
            findings.error(place, {"[turn] has no \"realm\"", "passwords hold for a realm: write your domain"});
        if (turn.shared_secret.empty() && turn.shared_secret_file.empty() && config.turn_users.empty())
            findings.error(place, {"nobody may relay: [turn] has no shared_secret, and there is no [[turn.user]]",
                                   "a relay without credentials is everybody's; for STUN alone use [stun]"});
        return;
    }
    if (!config.turn_users.empty())
        findings.warning(config.turn_users.front().place,
                         {"nobody can use this account: [turn] has no listener", "write udp = \":3478\""});
}

}  // namespace sallyport::config
