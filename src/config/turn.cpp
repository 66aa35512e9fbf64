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

void check_turn(const Config& config, Findings& findings) {
    const Turn& turn = config.turn;
    check_udp_ports(config, findings);
    check_relay_addresses(turn, findings);
    check_users(config, findings);
    for (const Turn::Addresses* addresses : {&turn.udp, &turn.tcp, &turn.tls}) {
        if (addresses->empty()) continue;
        const Place& place = addresses->front().place;
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
