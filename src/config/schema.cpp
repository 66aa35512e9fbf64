#include "config/schema.hpp"

#include "config/names.hpp"
#include "config/redis_url.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

// ---- How a member becomes a row: its type says how it is read and what it is called.

template <class T>
struct Element {
    using Type = T;
    static constexpr std::string_view name = type_name<T>.one;
};
template <class T>
struct Element<Located<T>> : Element<T> {};
template <class T>
struct Element<std::optional<Located<T>>> : Element<T> {};
template <class T>
struct Element<std::vector<Located<T>>> {
    using Type = T;
    static constexpr std::string_view name = type_name<T>.many;
};

template <class M>
struct MemberPointer;
template <class S, class T>
struct MemberPointer<T S::*> {
    using Owner = S;
    using Type = T;
};

template <auto Member>
void store(const Reading& in, const Slot& slot) {
    using Owner = typename MemberPointer<decltype(Member)>::Owner;
    read(in, std::get<Owner*>(slot)->*Member);
}

template <class T>
constexpr std::span<const std::string_view> words_for() {
    if constexpr (std::is_enum_v<T>)
        return words_of<T>;
    else
        return {};
}

template <auto Member>
constexpr Row row(std::string_view key, std::string_view default_text, std::string_view meaning, Limits limits = {}) {
    using Held = Element<typename MemberPointer<decltype(Member)>::Type>;
    using Type = typename Held::Type;
    return {key, default_text, meaning, limits, Held::name, type_name<Type>.scale, words_for<Type>(), store<Member>};
}

constexpr std::int64_t ns(Duration duration) { return duration.count(); }

// ---- The tables.

constexpr std::array node_rows{
    row<&Node::name>("name", "",
                     "What this gateway is called in every log line, metric and ban. Absent: the host's name."),
    row<&Node::state_dir>("state_dir", "\"/var/lib/sallyport\"",
                          "The directory that the gateway writes to: its database, keys that it makes, revisions."),
    row<&Node::threads>("threads", "0", "How many threads carry traffic. 0: one for each core.", {.most = 1024}),
    row<&Node::nat_map>(
        "nat_map", "[]",
        "What an outer NAT maps to this node, as \"public=own\". What announces addresses (SIP, STUN, TURN) uses it."),
    row<&Node::drain_timeout>("drain_timeout", "\"30s\"",
                              "How long connections may go on when the gateway stops or their service is gone.",
                              {.least = 0, .most = ns(24h)}),
    row<&Node::user>("user", "\"sallyport\"", "The account that the gateway becomes when it is started as root."),
};

constexpr std::array log_rows{
    row<&Log::destination>("destination", "\"stdout\"", "\"stdout\", \"syslog\", or the path of a file."),
    row<&Log::format>("format", "\"auto\"", "\"auto\" is text on a terminal and JSON lines elsewhere."),
    row<&Log::level>(
        "level", "\"info\"",
        "The least severe messages that are logged. Records have their own keys, `forwarded` and `refused`."),
    row<&Log::forwarded>("forwarded", "true", "One line for each connection or request that was passed on."),
    row<&Log::refused>("refused", "true", "One line for each refusal, with its reason code."),
};

constexpr std::array admin_rows{
    row<&Admin::listen>("listen", "[]",
                        "Where the page, the API and `/metrics` are served, by TLS. Never a port that [listen] serves. "
                        "Absent: nowhere."),
    row<&Admin::socket>("socket", "\"/run/sallyport/admin.sock\"",
                        "The Unix socket that the command line talks to. The peer's user id is its credential."),
    row<&Admin::metrics_from>("metrics_from", "[]",
                              "Who may read `/metrics` on `listen` without a login, beside this machine itself."),
};

constexpr std::array certificate_rows{
    row<&Certificate::name>("name", "", "What it is called in messages and by `sallyport cert`.", {.required = true}),
    row<&Certificate::chain>("chain", "", "The certificate and those that signed it, PEM, its own first.",
                             {.required = true}),
    row<&Certificate::key>("key", "", "Its private key, PEM.", {.required = true}),
};

constexpr std::array trust_rows{
    row<&Trust::ca>("ca", "[]", "Certificates of the authorities whose client certificates are trusted, PEM."),
};

constexpr std::array guard_rows{
    row<&Guard::suspicious_per_minute>("suspicious_per_minute", "10",
                                       "How many suspicious things a client (an IPv4 address or an IPv6 /64) may do "
                                       "within any 60 seconds; more ban it.",
                                       {.least = 1, .most = 10'000}),
    row<&Guard::ban_for>("ban_for", "\"15m\"", "How long a ban lasts. It ends by itself.",
                         {.least = ns(1s), .most = ns(std::chrono::days(365))}),
    row<&Guard::never_ban>("never_ban", "[]",
                           "Who is never counted and never banned, beside 127.0.0.1, ::1, this node's own addresses, "
                           "targets and trusted proxies."),
    row<&Guard::always_ban>("always_ban", "[]", "Who is turned away without having done anything."),
    row<&Guard::enforce>("enforce", "\"accept\"",
                         "Where bans hold: \"accept\" resets connections as they come; \"nftables\" has the kernel "
                         "refuse new ones as well.",
                         {.served = false}),
};

std::optional<Complaint> check_redis(std::string_view text) {
    const auto url = parse_redis_url(text);
    if (url) return std::nullopt;
    return Complaint{"this is no URL of a Redis", url.error().message};
}

constexpr std::array shared_rows{
    row<&Shared::redis>("redis", "",
                        "The Redis or Valkey by which gateways share bans and allow entries: "
                        "`redis://[user:password@]host[:port][/database]`. Absent: this node keeps to itself.",
                        {.check = check_redis}),
};

constexpr std::array listen_rows{
    row<&Listen::http>("http", "[]", "HTTP, plain."),
    row<&Listen::https>("https", "[]", "HTTP in TLS."),
    row<&Listen::sip>("sip", "[]", "SIP over TCP."),
    row<&Listen::sips>("sips", "[]", "SIP in TLS."),
    row<&Listen::ldap>("ldap", "[]", "LDAP, plain; a client may ask for TLS there (StartTLS), which ends here."),
    row<&Listen::ldaps>("ldaps", "[]", "LDAP in TLS."),
    row<&Listen::h323>("h323", "[]", "H.323 by H.460.17, over TCP."),
    row<&Listen::h323s>("h323s", "[]", "H.323 by H.460.17, in TLS."),
    row<&Listen::mux>("mux", "[]",
                      "All of the above on one port, with TLS or without: what is spoken is told by the first bytes."),
    row<&Listen::proxy_from>("proxy_from", "[]",
                             "Whose connections begin with a PROXY header (version 1 or 2): the client is the one that "
                             "it names. From these a connection without one is refused; from anyone else a header is "
                             "no valid message."),
    row<&Listen::trusted_proxies>("trusted_proxies", "[]",
                                  "Whose `X-Forwarded-For` and `Forwarded` are kept; everyone else's are replaced."),
    row<&Listen::acme_challenges>("acme_challenges", "\"\"",
                                  "A directory whose files answer `/.well-known/acme-challenge/` under every name, "
                                  "before any service is asked.",
                                  {.may_be_empty = true}),
    row<&Listen::max_connections>("max_connections", "0",
                                  "How many connections are open at once; more wait in the system's queue. 0: as many "
                                  "as there are file descriptors for."),
    row<&Listen::max_connections_per_client>(
        "max_connections_per_client", "0",
        "How many of them one client may hold, an IPv4 address or an IPv6 /64; more are reset. 0: three quarters of "
        "all, so that nobody can take every place."),
};

constexpr Limits http_only{.empty_list_hint = "it would admit nothing: remove the key to admit every URL",
                           .protocols = bit(Protocol::http)};

constexpr std::array service_rows{
    row<&Service::names>(
        "name", "",
        "The names that requests ask for. `*.example.com`: every name below it that no other service names.",
        {.required = true, .empty_list_hint = "a service needs a name"}),
    row<&Service::protocol>("protocol", "", "The protocol that it is asked for in.", {.required = true}),
    row<&Service::targets>(
        "target", "",
        "Where it goes: an address, a host name, or \"builtin:welcome\", the gateway's own page. Several: as `balance` "
        "says; one that fails is left out until it answers again.",
        {.required = true, .empty_list_hint = "a service needs a target"}),
    row<&Service::plain_port>("plain_port", "",
                              "The target's port without TLS. With `tls_port` too, encryption stays as it came; alone, "
                              "everything goes plain."),
    row<&Service::tls_port>("tls_port", "", "The target's port with TLS. Alone, everything goes by TLS."),
    row<&Service::allow_from>("allow_from", "", "Who may use it. Absent: anyone who is not banned.",
                              {.empty_list_hint = "it would admit nobody: remove the key to admit everyone"}),
    row<&Service::allow_url>(
        "allow_url", "",
        "Beginnings of the paths that may be asked for, case sensitive. A rule that ends in `/` admits no further `/` "
        "after it, unlike nginx's. Absent, and no `preset`: every path.",
        {.empty_list_hint = http_only.empty_list_hint, .protocols = http_only.protocols, .check = check_url_rule}),
    row<&Service::presets>("preset", "", "Named lists of allowed URLs, added to `allow_url`.", http_only),
    row<&Service::is_default>("default", "false",
                              "Takes what names no service in its first message. One for each protocol."),
    row<&Service::source>("source", "", "The own address that targets are dialed from. Absent: the system chooses."),
    row<&Service::connect_timeout>("connect_timeout", "\"5s\"", "How long one target may take to accept a connection.",
                                   {.least = ns(100ms), .most = ns(10min)}),
    row<&Service::idle_timeout>("idle_timeout", "\"10m\"",
                                "How long a request may wait for its answer, or for more of a body. \"0s\": for ever. "
                                "Tunnels (WebSocket) have no "
                                "such limit.",
                                {.least = 0, .most = ns(std::chrono::days(365))}),
    row<&Service::target_ca>(
        "target_ca", "", "Authorities that the target's certificate is checked against, PEM. Absent: the system's."),
    row<&Service::target_verify>("target_verify", "true", "Whether the target's certificate is checked at all."),
    row<&Service::target_certificate>("target_certificate", "",
                                      "The [[certificate]] that is shown to a target that asks for one."),
    row<&Service::balance>(
        "balance", "\"failover\"",
        "How one of several targets is chosen: \"failover\", the first that works; \"round_robin\", one "
        "after the other; \"client\", always the same for a client (IPv6: for a /64)."),
    row<&Service::health>(
        "health", "",
        "How targets are tried while nobody asks: \"tcp\" connects to each port, \"tls\" shakes hands, "
        "\"http /path\" wants an answer below 400. Two failures in a row take a target out, two good "
        "answers bring it back. Absent: only targets that traffic found failing are tried."),
    row<&Service::health_interval>("health_interval", "\"5s\"", "The time between two tries of a target.",
                                   {.least = ns(1s), .most = ns(1h)}),
    row<&Service::max_connections>("max_connections", "0",
                                   "How many connections its targets carry at once, together; more are refused. With a "
                                   "limit none is kept for the next request. 0: no limit."),
    row<&Service::proxy_protocol>("proxy_protocol", "\"none\"",
                                  "Tells the target the client's address by a PROXY header of this version. No "
                                  "connection is then shared by clients."),
    row<&Service::client_certificate>(
        "client_certificate", "\"none\"",
        "Whether clients are asked for a certificate: \"required\" refuses those without one that [trust] vouches for; "
        "\"optional\" tells the target what was shown. In both, Client-Cert and X-SSL-Client-* are ours alone.",
        {.protocols = bit(Protocol::http)}),
    row<&Service::redirect_to_https>("redirect_to_https", "false",
                                     "Answers plain requests with a redirect to the same URL by https.",
                                     {.protocols = bit(Protocol::http)}),
    row<&Service::route_header>(
        "route_header", "false",
        "Puts the gateway into the route of SIP dialogs (Record-Route, Path), with the public address that nat_map of "
        "[node] gives it.",
        {.protocols = bit(Protocol::sip)}),
    row<&Service::check_certificate>(
        "check_certificate", "false",
        "A client whose certificate is valid for the registering name goes by TLS, any other goes plain.",
        {.protocols = bit(Protocol::h323) | bit(Protocol::sip)}),
    row<&Service::registration_name>(
        "registration_name", "[\"h323_id\", \"url_id\", \"e164\"]",
        "Which aliases of a registration `check_certificate` holds the certificate against: all ids of these kinds, or "
        "all numbers where there is no id.",
        {.protocols = bit(Protocol::h323)}),
};

constexpr std::array egress_rows{
    row<&Egress::pool>("pool", "[]",
                       "The addresses that connections go out from, every one of these networks. They must be this "
                       "node's, or routed to it: `ip route add local 192.0.2.16/28 dev lo`. Families are independent; "
                       "of one without a pool the system chooses."),
    row<&Egress::mode>("mode", "\"shared\"",
                       "\"shared\": several may have one address. \"exclusive\": nobody shares one, and who comes when "
                       "all are given is refused."),
    row<&Egress::seed>("seed", "\"\"",
                       "Gateways with the same seed and the same pool give the same user the same address, without "
                       "talking to each other. Keep it to yourself: it says who shares an address with whom.",
                       {.may_be_empty = true}),
    row<&Egress::clients>("clients", "[]", "Whose connections this is about. Empty: everybody's."),
    row<&Egress::remember_for>("remember_for", "\"30d\"",
                               "How long an address that was given is kept for somebody who is not seen.",
                               {.least = ns(1s), .most = ns(std::chrono::days(365) * 10)}),
    row<&Egress::leases>("leases", "[]",
                         "Leases files of DHCP servers, which tell the device behind an address: dnsmasq's, ISC "
                         "dhcpd's, Kea's CSV. Looked at again when they change."),
    row<&Egress::radius>("radius", "",
                         "Where RADIUS accounting is taken (UDP), which tells the user behind an address."),
    row<&Egress::radius_secret>("radius_secret", "", "The secret shared with the access servers."),
    row<&Egress::radius_secret_file>("radius_secret_file", "", "A file that holds it, instead."),
};

constexpr std::array egress_pin_rows{
    row<&EgressPin::client>("client", "", "The address of a client."),
    row<&EgressPin::network>("network", "", "Or a network of clients; the narrowest holds."),
    row<&EgressPin::mac>("mac", "", "Or a device, by its hardware address; `leases` or `radius` tell where it is."),
    row<&EgressPin::user>("user", "", "Or a user; `radius` tells where they are. This one holds over the others."),
    row<&EgressPin::source>("source", "", "The address that its connections go out from.", {.required = true}),
};

constexpr std::array push_rows{
    row<&Push::vip>("vip", "[]",
                    "The addresses that stand for Apple's couriers inside: of a network of addresses courier N has the "
                    "base and N, one address stands for all. They must be routed to this node: `ip route add local "
                    "10.100.100.0/24 dev lo`, and in the isolated network a route here."),
    row<&Push::ports>("ports", "[5223, 443, 2197]",
                      "The ports that are served there. 2195 and 2196 are those of senders of the time before 2021."),
    row<&Push::families>("families", "[\"courier\", \"courier2\", \"courier.sandbox\"]",
                         "The families of names that have such addresses. All other names are forwarded."),
    row<&Push::providers>("providers", "false",
                          "Relays senders to `api.push.apple.com` and its sandbox, too (mobile device management)."),
    row<&Push::ttl>("ttl", "\"30s\"", "How long devices may keep an answer.", {.least = 0, .most = ns(24h)}),
    row<&Push::resolver>("resolver", "[]",
                         "The name servers that couriers are looked up with: near to where connections go out. Absent: "
                         "as the system does."),
    row<&Push::allow_to>("allow_to", "[]",
                         "Where connections may go. Absent: 17.0.0.0/8, 2620:149:a44::/48, 2403:300:a42::/48, "
                         "2403:300:a51::/48 and 2a01:b740:a42::/48, which Apple names. Anything else is refused: this "
                         "is no open proxy."),
    row<&Push::via>("via", "[]",
                    "Proxies that connections go out by: \"http://proxy.dmz:3128\" (CONNECT), "
                    "\"socks5://user:password@proxy.dmz:1080\". Several: the next one when one fails."),
    row<&Push::intercept>("intercept", "false",
                          "Takes connections too that a rule of the firewall has redirected to these ports "
                          "(SO_ORIGINAL_DST), and relays each to where it was going."),
};

// ---- Where each table's values go.

template <auto Member>
Slot open_single(Config& config, const Place&) {
    return &(config.*Member);
}

template <auto Member>
Slot open_new(Config& config, const Place& place) {
    auto& added = (config.*Member).emplace_back();
    added.place = place;
    return &added;
}

Slot open_push(Config& config, const Place& place) {
    config.push.place = place;
    return &config.push;
}

constexpr std::array tables{
    Table{"node", false, "The gateway itself.", "[node]\nname      = \"edge-1\"\nstate_dir = \"/var/lib/sallyport\"\n",
          node_rows, open_single<&Config::node>},
    Table{"log", false, "Every connection or request ends in one record. Here stands where records and messages go.",
          "[log]\ndestination = \"/var/log/sallyport/gateway.log\"\nformat      = \"json\"\n", log_rows,
          open_single<&Config::log>},
    Table{"admin", false, "Where the gateway is looked after.",
          "[admin]\nlisten       = \"127.0.0.1:9443\"\nmetrics_from = \"127.0.0.1\"\n", admin_rows,
          open_single<&Config::admin>},
    Table{"certificate", true,
          "A certificate that the gateway shows to clients. It is chosen by the names in the certificate itself; the "
          "first one is the "
          "default. Without any, a self-signed one is made at the first start. A changed file is taken up without a "
          "restart.",
          "[[certificate]]\nname  = \"edge\"\nchain = \"edge.pem\"\nkey   = \"edge.key\"\n", certificate_rows,
          open_new<&Config::certificates>},
    Table{"trust", false, "Whom the gateway believes when a client shows a certificate.",
          "[trust]\nca = [\"device-ca.pem\"]\n", trust_rows, open_single<&Config::trust>},
    Table{"guard", false,
          "Who tries passwords, names and paths is banned for a while, whatever protocol it was in. "
          "[guard.md](guard.md) says what counts.",
          "[guard]\nsuspicious_per_minute = 10\nban_for               = \"15m\"\nnever_ban             = "
          "[\"10.0.0.0/8\"]\n",
          guard_rows, open_single<&Config::guard>},
    Table{"shared", false, "What several gateways know together. No connection ever waits for it.",
          "[shared]\nredis = \"redis://127.0.0.1:6379/0\"\n", shared_rows, open_single<&Config::shared>},
    Table{"listen", false,
          "The ports that are served, one key for each kind of service. A kind that has no key here is not served.",
          "[listen]\nhttp  = \":80\"\nhttps = [\"192.0.2.1:443\", \"[2001:db8::1]:443\"]\n", listen_rows,
          open_single<&Config::listen>},
    Table{"service", true, "A name that clients ask for and where it goes. What no service names is refused.",
          "[[service]]\nname       = \"hq.example.com\"\nprotocol   = \"http\"\ntarget     = "
          "\"172.16.0.10\"\nplain_port = 80\n"
          "tls_port   = 443\nallow_url  = [\"/PBX0/MY\", \"/apps\"]\n",
          service_rows, open_new<&Config::services>},
    Table{"egress", false,
          "A stable source address for each user or device, for all that this node dials for them. "
          "[egress.md](egress.md) tells how it is chosen.",
          "[egress]\npool   = \"192.0.2.16/28\"\nseed   = \"site-1\"\nleases = \"/var/lib/misc/dnsmasq.leases\"\n",
          egress_rows, open_single<&Config::egress>},
    Table{"egress.pin", true, "Somebody who always goes out from a certain address, of the pool or not.",
          "[[egress.pin]]\nclient = \"10.1.2.3\"\nsource = \"192.0.2.17\"\n", egress_pin_rows,
          open_new<&Config::egress_pins>},
    Table{"push", false,
          "Apple's push service for devices in isolated networks. [push.md](push.md) goes through it step by step.",
          "[push]\nvip = [\"10.100.100.0/24\", \"fd00:100::/64\"]\n", push_rows, open_push},
};

constexpr std::array<std::string_view, 4> tables_to_come{"stun", "turn", "dns", "firewall"};

}  // namespace

const Row* Table::find(std::string_view key) const {
    for (const Row& row : rows) {
        if (row.key == key) return &row;
    }
    return nullptr;
}

const Table* Table::inner(std::string_view key) const {
    for (const Table& table : tables) {
        const std::size_t dot = table.name.find('.');
        if (dot != std::string_view::npos && table.name.substr(0, dot) == name && table.name.substr(dot + 1) == key)
            return &table;
    }
    return nullptr;
}

std::string Table::header() const {
    const std::string inner(name);
    return repeated ? "[[" + inner + "]]" : '[' + inner + ']';
}

std::span<const Table> schema() { return tables; }

std::span<const std::string_view> later_tables() { return tables_to_come; }

}  // namespace sallyport::config
