#include "config/schema.hpp"

#include "config/redis_url.hpp"
#include "config/rows.hpp"
#include "config/rows_dns.hpp"
#include "config/rows_egress.hpp"
#include "config/rows_firewall.hpp"
#include "config/rows_gate.hpp"
#include "config/rows_push.hpp"
#include "config/rows_turn.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

namespace {

using namespace std::chrono_literals;

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
                         "refuse new ones as well, which takes the program `nft` and CAP_NET_ADMIN."),
};

std::optional<Complaint> check_redis(std::string_view text) {
    const auto url = parse_redis_url(text);
    if (url) return std::nullopt;
    return Complaint{"this is no URL of a Redis", url.error().message};
}

constexpr std::array shared_rows{
    row<&Shared::redis>("redis", "",
                        "The Redis or Valkey by which gateways share bans, allow entries and source addresses: "
                        "`redis://[user:password@]host[:port][/database]`. Absent: this node keeps to itself.",
                        {.check = check_redis}),
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

Slot open_firewall(Config& config, const Place& place) {
    config.firewall.place = place;
    return &config.firewall;
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
    Table{"dns", false,
          "The name server of the inside: names that are its own, everything else by other name servers. "
          "[dns.md](dns.md) shows how to set it up.",
          "[dns]\nlisten   = \":53\"\nupstream = [\"9.9.9.9\", \"tls://1.1.1.1#one.one.one.one\"]\nclients  = "
          "\"10.0.0.0/8\"\n",
          dns_rows, open_single<&Config::dns>},
    Table{"dns.view", true,
          "What clients of some networks are told otherwise. The first view that holds a client is its own.",
          "[[dns.view]]\nname     = \"branch\"\nclients  = \"10.2.0.0/16\"\nupstream = \"10.2.0.1\"\n", dns_view_rows,
          open_new<&Config::dns_views>},
    Table{"dns.forward", true, "Domains that have name servers of their own. The longest one that fits a name decides.",
          "[[dns.forward]]\ndomain   = \"corp.example\"\nupstream = \"172.16.0.53\"\n", dns_forward_rows,
          open_new<&Config::dns_forwards>},
    Table{"dns.record", true,
          "A name that is ours. It owns all its types: for what it does not hold the answer is that there is nothing, "
          "and no other name server is asked. Its addresses are named by it in reverse.",
          "[[dns.record]]\nname    = \"hq.example.com\"\naddress = \"172.16.0.10\"\nview    = \"branch\"\nttl     = "
          "\"5m\"\n",
          dns_record_rows, open_new<&Config::dns_records>},
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
    Table{
        "firewall", false,
        "The packet filter of this machine, which follows from all that is configured. It is shown, tried and applied "
        "by `sallyport firewall`; [firewall.md](firewall.md) goes through it. Without this table there is none.",
        "[firewall]\ninside  = \"eth1\"\noutside = \"eth0\"\npresets = \"apns\"\n", firewall_rows, open_firewall},
    Table{"firewall.open", true, "What else this machine serves beside the gateway.",
          "[[firewall.open]]\nname     = \"monitoring\"\nport     = 9100\nfrom     = \"10.0.0.0/8\"\n",
          firewall_open_rows, open_new<&Config::firewall_opens>},
    Table{
        "firewall.forward", true,
        "A port of this node that another machine serves: plain network address translation, for what the gateway does "
        "not speak.",
        "[[firewall.forward]]\nprotocol = [\"tcp\", \"udp\"]\nport     = 88\nto       = \"172.16.0.40:88\"\n",
        firewall_forward_rows, open_new<&Config::firewall_forwards>},
    Table{
        "stun", false,
        "Addresses that answer STUN alone: they tell clients how the outside sees them. Every listener of [turn] does "
        "so too.",
        "[stun]\nlisten = \"192.0.2.1:3478\"\n", stun_rows, open_single<&Config::stun>},
    Table{"turn", false,
          "The media relay for clients that can't reach one another. [turn.md](../src/turn/turn.md) has the settings "
          "of clients.",
          "[turn]\nudp           = \":3478\"\nrealm         = \"example.com\"\nshared_secret = \"long and random\"\n",
          turn_rows, open_single<&Config::turn>},
    Table{"turn.user", true, "An account that may relay. Without any, only `shared_secret` opens.",
          "[[turn.user]]\nname     = \"alice\"\npassword = \"secret\"\n", turn_user_rows,
          open_new<&Config::turn_users>},
};

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

}  // namespace sallyport::config
