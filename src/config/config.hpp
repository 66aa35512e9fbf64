// The configuration as the rest of the program sees it: plain values, checked. What each key means to an admin stands
// in schema.cpp; member initializers are the defaults, and a test holds the two together.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "config/dns.hpp"
#include "config/egress.hpp"
#include "config/firewall.hpp"
#include "config/listen_address.hpp"
#include "config/place.hpp"
#include "config/push.hpp"
#include "config/turn.hpp"
#include "config/words.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

using Path = std::filesystem::path;  // relative ones were resolved against the file that names them

/// What an outer NAT maps to an address of this node. Both of one family.
struct NatMapping {
    IpAddress outside;
    IpAddress own;

    bool operator==(const NatMapping&) const = default;
};

struct Node {
    std::string name;  // empty: the host's name
    Located<Path> state_dir{"/var/lib/sallyport", {}};
    std::uint32_t threads = 0;  // 0: one per core
    std::vector<Located<NatMapping>> nat_map;
    Duration drain_timeout = std::chrono::seconds(30);
    Located<std::string> user{"sallyport", {}};  // whom to become when started as root

    bool operator==(const Node&) const = default;
};

enum class LogFormat : std::uint8_t { automatic, text, json };
template <>
inline constexpr std::array<std::string_view, 3> words_of<LogFormat>{"auto", "text", "json"};

enum class LogLevel : std::uint8_t { error, warning, info, debug };
template <>
inline constexpr std::array<std::string_view, 4> words_of<LogLevel>{"error", "warning", "info", "debug"};

struct LogDestination {
    enum class Kind : std::uint8_t { standard_output, syslog, file };
    Kind kind = Kind::standard_output;
    Path file = {};  // only for Kind::file

    bool operator==(const LogDestination&) const = default;
};

struct Log {
    Located<LogDestination> destination;
    LogFormat format = LogFormat::automatic;
    LogLevel level = LogLevel::info;
    bool forwarded = true;
    bool refused = true;

    bool operator==(const Log&) const = default;
};

struct Admin {
    std::vector<Located<ListenAddress>> listen;
    Located<Path> socket{"/run/sallyport/admin.sock", {}};
    std::vector<Located<Network>> metrics_from;

    bool operator==(const Admin&) const = default;
};

struct Certificate {
    Place place;  // of [[certificate]]
    Located<std::string> name;
    Located<Path> chain;  // PEM, leaf first
    Located<Path> key;    // PEM
};

struct Trust {
    std::vector<Located<Path>> ca;  // PEM

    bool operator==(const Trust&) const = default;
};

enum class Enforce : std::uint8_t { accept, nftables };
template <>
inline constexpr std::array<std::string_view, 2> words_of<Enforce>{"accept", "nftables"};

struct Guard {
    std::uint32_t suspicious_per_minute = 10;  // more than this within any 60 s bans
    Duration ban_for = std::chrono::minutes(15);
    std::vector<Located<Network>> never_ban;
    std::vector<Located<Network>> always_ban;
    Located<Enforce> enforce{Enforce::accept, {}};

    bool operator==(const Guard&) const = default;
};

struct Shared {
    Located<std::string> redis;  // a URL (config/redis_url.hpp); empty: this node alone

    bool operator==(const Shared&) const = default;
};

struct Listen {
    using Addresses = std::vector<Located<ListenAddress>>;
    Addresses http, https, sip, sips, ldap, ldaps, h323, h323s, mux;
    std::vector<Located<Network>> proxy_from;
    std::vector<Located<Network>> trusted_proxies;
    Located<Path> acme_challenges;  // empty: none
    std::uint32_t max_connections = 0;             // 0: as many as there are descriptors for
    std::uint32_t max_connections_per_client = 0;  // 0: three quarters of all

    bool operator==(const Listen&) const = default;
};

enum class Protocol : std::uint8_t { http, sip, ldap, h323, tls };
template <>
inline constexpr std::array<std::string_view, 5> words_of<Protocol>{"http", "sip", "ldap", "h323", "tls"};

enum class Balance : std::uint8_t { failover, round_robin, client };
template <>
inline constexpr std::array<std::string_view, 3> words_of<Balance>{"failover", "round_robin", "client"};

enum class ProxyProtocol : std::uint8_t { none, v1, v2 };
template <>
inline constexpr std::array<std::string_view, 3> words_of<ProxyProtocol>{"none", "v1", "v2"};

/// How targets are tried while nobody asks.
struct HealthCheck {
    enum class Kind : std::uint8_t { none, tcp, tls, http };
    Kind kind = Kind::none;
    std::string path = {};  // Kind::http

    bool operator==(const HealthCheck&) const = default;
};

enum class ClientCertificate : std::uint8_t { none, optional, required };
template <>
inline constexpr std::array<std::string_view, 3> words_of<ClientCertificate>{"none", "optional", "required"};

enum class RegistrationName : std::uint8_t { h323_id, url_id, e164 };
template <>
inline constexpr std::array<std::string_view, 3> words_of<RegistrationName>{"h323_id", "url_id", "e164"};

struct Target {
    enum class Kind : std::uint8_t { address, host, builtin };
    Kind kind = Kind::host;
    IpAddress address = {};  // Kind::address
    std::string text = {};   // canonical: "172.16.0.10", "::1", "pbx.example.com"; for Kind::builtin "welcome"

    bool operator==(const Target&) const = default;
};

inline constexpr std::size_t most_targets = 64;  // of one service

struct Service {
    Place place;                                // of [[service]]
    std::vector<Located<std::string>> names;    // canonical: lower case; h323: without "location@"
    Protocol protocol = Protocol::http;
    std::vector<Located<Target>> targets;       // in order; at least one; a builtin stands alone
    std::optional<std::uint16_t> plain_port;
    std::optional<std::uint16_t> tls_port;
    std::vector<Located<Network>> allow_from;   // empty: anyone
    std::vector<Located<std::string>> allow_url;  // this and `presets` empty: every URL
    std::vector<Located<std::string>> presets;
    Balance balance = Balance::failover;
    Located<Path> target_ca;                    // empty: the system's
    bool target_verify = true;
    Located<std::string> target_certificate;    // the name of a Certificate; empty: none
    ProxyProtocol proxy_protocol = ProxyProtocol::none;
    HealthCheck health;
    Duration health_interval = std::chrono::seconds(5);
    std::uint32_t max_connections = 0;          // 0: no limit
    Duration connect_timeout = std::chrono::seconds(5);
    Duration idle_timeout = std::chrono::minutes(10);  // 0: none
    std::optional<Located<IpAddress>> source;
    bool is_default = false;
    bool check_certificate = false;
    std::vector<Located<RegistrationName>> registration_name{
        {RegistrationName::h323_id, {}}, {RegistrationName::url_id, {}}, {RegistrationName::e164, {}}};
    ClientCertificate client_certificate = ClientCertificate::none;
    bool redirect_to_https = false;
    bool route_header = false;

    bool operator==(const Service&) const = default;
};

/// The keys of [listen] that name ports: what is spoken there, and where the addresses are.
struct ListenKind {
    std::string_view key;
    std::optional<Protocol> protocol;  // none: told by the first bytes
    bool tls;                          // the client begins with a handshake
    Listen::Addresses Listen::* addresses;
};
inline constexpr std::array listen_kinds{
    ListenKind{"http", Protocol::http, false, &Listen::http}, ListenKind{"https", Protocol::http, true, &Listen::https},
    ListenKind{"sip", Protocol::sip, false, &Listen::sip},    ListenKind{"sips", Protocol::sip, true, &Listen::sips},
    ListenKind{"ldap", Protocol::ldap, false, &Listen::ldap}, ListenKind{"ldaps", Protocol::ldap, true, &Listen::ldaps},
    ListenKind{"h323", Protocol::h323, false, &Listen::h323}, ListenKind{"h323s", Protocol::h323, true, &Listen::h323s},
    ListenKind{"mux", std::nullopt, true, &Listen::mux},
};

struct Config {
    Node node;
    Log log;
    Admin admin;
    std::vector<Certificate> certificates;  // the first is the default
    Trust trust;
    Guard guard;
    Shared shared;
    Listen listen;
    std::vector<Service> services;
    Egress egress;
    std::vector<EgressPin> egress_pins;
    Push push;
    Dns dns;
    std::vector<DnsView> dns_views;  // the first that holds a client is its view
    std::vector<DnsForward> dns_forwards;
    std::vector<DnsRecord> dns_records;
    Firewall firewall;
    std::vector<FirewallOpen> firewall_opens;
    std::vector<FirewallForward> firewall_forwards;
    Stun stun;
    Turn turn;
    std::vector<TurnUser> turn_users;

    /// Is TURN one of the protocols of the port for many? It is as soon as somebody may relay.
    bool mux_takes_turn() const { return !listen.mux.empty() && !turn.realm.value.empty(); }
};

}  // namespace sallyport::config
