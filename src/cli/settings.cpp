#include "cli/settings.hpp"

#include "cli/dns_settings.hpp"
#include "cli/push_settings.hpp"
#include "cli/turn_settings.hpp"
#include "gate/dialect.hpp"

#include <array>

namespace sallyport::cli {

using telemetry::Level;

telemetry::LogSettings log_settings(const config::Config& config, const std::string& node) {
    telemetry::LogSettings settings{.node = node, .forwarded = config.log.forwarded, .refused = config.log.refused};
    const auto& destination = config.log.destination.value;
    if (destination.kind == config::LogDestination::Kind::syslog) settings.destination = "syslog";
    if (destination.kind == config::LogDestination::Kind::file) settings.destination = destination.file.string();
    settings.format = *telemetry::find_log_format(config::to_string(config.log.format));
    constexpr std::array levels{Level::error, Level::warn, Level::info,
                                Level::debug};  // in the order of config::LogLevel
    settings.level = levels[static_cast<std::size_t>(config.log.level)];
    return settings;
}

std::vector<listeners::Claim> claims_of(const config::Config& config) {
    std::vector<listeners::Claim> claims;
    int kind = 0;
    for (const auto& dialect : gate::dialects()) {
        const std::string name(config::to_string(dialect.word));
        for (const auto& listen : config.listen.*dialect.plain)
            claims.push_back({listen.value, "listen." + name, false, kind});
        for (const auto& listen : config.listen.*dialect.tls)
            claims.push_back({listen.value, "listen." + name + "s", true, kind});
        ++kind;
    }
    for (auto& claim : dns_claims(config)) claims.push_back(std::move(claim));
    for (const auto& listen : config.listen.mux) claims.push_back({listen.value, "listen.mux", false, gate::mux_kind});
    const auto push = push_claims(config.push, claims);
    claims.insert(claims.end(), push.begin(), push.end());
    for (const auto& listen : config.turn.tcp) claims.push_back({listen.value, "turn.tcp", false, turn_kind});
    for (const auto& listen : config.turn.tls) claims.push_back({listen.value, "turn.tls", true, turn_kind});
    return claims;
}

std::vector<listeners::UdpClaim> udp_claims_of(const config::Config& config) {
    std::vector<listeners::UdpClaim> claims = turn_claims(config);
    const auto dns = dns_udp_claims(config);
    claims.insert(claims.end(), dns.begin(), dns.end());
    return claims;
}

}  // namespace sallyport::cli
