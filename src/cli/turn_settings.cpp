#include "cli/turn_settings.hpp"

#include "base/text.hpp"
#include "cli/settings.hpp"
#include "io/sockets.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

namespace sallyport::cli {

namespace {

constexpr std::size_t longest_secret = 4096;  // bytes

using Complain = std::function<void(const config::Place&, std::string)>;

// One line, of which blanks at the end are not part.
std::optional<std::string> read_secret(const config::Located<std::filesystem::path>& file, const Complain& error) {
    errno = 0;
    std::ifstream in(file.value);
    std::string text(longest_secret + 1, '\0');
    if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    if (!in.is_open())
        error(file.place, file.value.string() + " can't be read: " + std::strerror(errno));
    else if (text.empty() || text.size() > longest_secret || text.contains('\n'))
        error(file.place, file.value.string() + " must hold one line of at most 4096 bytes");
    else
        return text;
    return std::nullopt;
}

turn::Credentials credentials_of(const config::Config& config, const Complain& error) {
    std::vector<turn::Credentials::Account> accounts;
    for (const auto& user : config.turn_users) {
        std::string password = user.password.value;
        if (!user.password_file.value.empty()) password = read_secret(user.password_file, error).value_or("");
        accounts.push_back({user.name.value, std::move(password)});
    }
    return {config.turn.realm.value, std::move(accounts), shared_secrets(config, error)};
}

template <class T>
std::vector<T> plain(const std::vector<config::Located<T>>& located) {
    std::vector<T> out;
    for (const auto& one : located) out.push_back(one.value);
    return out;
}

turn::PeerPolicy policy_of(const config::Config& config) {
    std::vector<IpAddress> own = io::own_addresses();
    for (const auto& mapping : config.node.nat_map) {
        own.push_back(mapping.value.outside);
        own.push_back(mapping.value.own);
    }
    return {plain(config.turn.peer_deny), plain(config.turn.peer_allow), own};
}

std::vector<turn::DiscoveryPlaces> discovery_of(const config::Stun& stun) {
    std::vector<turn::DiscoveryPlaces> out;
    for (const auto& [first, second] : config::discovery_pairs(stun))
        out.push_back({{first.ip, second.ip}, {first.port, *stun.alternate_port}});
    return out;
}

}  // namespace

turn::Credentials::Secrets shared_secrets(const config::Config& config, const Complain& error) {
    constexpr std::array hashes{turn::SecretHash::sha1, turn::SecretHash::sha256};  // in the order of the words
    turn::Credentials::Secrets secrets{.values = {},
                                       .hash = hashes[static_cast<std::size_t>(config.turn.shared_secret_hash)]};
    for (const auto& secret : config.turn.shared_secret) secrets.values.push_back(secret.value);
    for (const auto& file : config.turn.shared_secret_file) {
        if (auto secret = read_secret(file, error)) secrets.values.push_back(std::move(*secret));
    }
    return secrets;
}

bool has_turn_listener(const config::Config& config) {
    const config::Turn& turn = config.turn;
    return !turn.udp.empty() || !turn.tcp.empty() || !turn.tls.empty() || !turn.dtls.empty() || config.mux_takes_turn();
}

turn::SettingsHandle turn_settings(const config::Config& config, const Complain& error) {
    const config::Turn& from = config.turn;
    turn::NatMap nat_map;
    for (const auto& mapping : config.node.nat_map) nat_map.pairs.push_back({mapping.value.outside, mapping.value.own});
    return std::make_shared<const turn::Settings>(
        turn::Settings{.credentials = credentials_of(config, error),
                       .peers = policy_of(config),
                       .nat_map = std::move(nat_map),
                       .discovery = discovery_of(config.stun),
                       .kernel_nat = plain(config.stun.kernel_nat),
                       .tcp_relays = from.tcp_relays.value,
                       .relay_addresses = plain(from.relay_address),
                       .first_relay_port = from.relay_ports.value.first,
                       .last_relay_port = from.relay_ports.value.last,
                       .allocations = {.per_user = from.allocations_per_user, .total = from.allocations},
                       .longest_lifetime = from.longest_lifetime,
                       .allocation_bits_per_second = from.bits_per_second_per_allocation.value,
                       .user_bits_per_second = from.bits_per_second_per_user.value,
                       .node_bits_per_second = from.bits_per_second.value,
                       .bindings_per_second = from.bindings_per_second_per_client,
                       .challenges_per_second = from.challenges_per_second_per_client,
                       .proxy_from = NetworkSet(plain(config.listen.proxy_from)),
                       .connections_per_client = config.listen.max_connections_per_client,
                       .refresh_after_expiry = from.refresh_after_expiry});
}

std::vector<listeners::UdpClaim> turn_claims(const config::Config& config) {
    std::vector<listeners::UdpClaim> claims;
    for (const auto& listen : config.turn.udp) claims.push_back({listen.value, "turn.udp", stun_and_turn, turn_kind});
    for (const auto& listen : config.turn.dtls) claims.push_back({listen.value, "turn.dtls", turn_by_dtls, turn_kind});
    // An address of [stun] is a TURN listener's too where one is all addresses of that port.
    const auto is_turn_too = [&](const config::ListenAddress& address) {
        return std::ranges::any_of(config.turn.udp, [&](const auto& one) { return overlap(one.value, address); });
    };
    for (const auto& listen : config.stun.listen) {
        const bool is_claimed = std::ranges::find(claims, listen.value, &listeners::UdpClaim::address) != claims.end();
        const int kind = is_turn_too(listen.value) ? stun_and_turn : stun_alone;
        if (!is_claimed) claims.push_back({listen.value, "stun.listen", kind, turn_kind});
    }
    for (const auto& pair : config::discovery_pairs(config.stun)) {
        for (const SocketAddress& own : pair) {
            const config::ListenAddress address{{own.ip, *config.stun.alternate_port}};
            claims.push_back({address, "stun.alternate_port", stun_alone, turn_kind});
        }
    }
    return claims;
}

}  // namespace sallyport::cli
