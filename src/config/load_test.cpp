#include "config/load.hpp"

#include "config/checks.hpp"
#include "config/document.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

using namespace sallyport;
using namespace sallyport::config;

namespace {

constexpr std::array<std::string_view, 2> presets{"mypbx", "reporting"};

Loaded load_here(std::string_view text) { return load_text("s.toml", text, presets); }

// "line:column: message (hint)", one a line: what the tables below hold.
std::string listing(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems) {
        out += std::to_string(problem.line) + ':' + std::to_string(problem.column) + ": " + problem.message;
        if (!problem.hint.empty()) out += " (" + problem.hint + ')';
        out += '\n';
    }
    return out;
}

constexpr std::string_view good_service = "[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\n";

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-config-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    void write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name) << text;
    }
    std::filesystem::path operator/(const char* name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

}  // namespace

TEST(Load, ReadsEveryKindOfValueWithItsPlace) {
    const auto loaded = load_text("/etc/sallyport/sallyport.toml", R"([node]
name          = "edge-1"
state_dir     = "../state"
threads       = 2
nat_map       = ["203.0.113.10=172.16.0.5", "2001:db8::1 = fd00::1"]
drain_timeout = "1m"
user          = "nobody"

[log]
destination = "gateway.log"
format      = "json"
level       = "debug"
forwarded   = false

[admin]
listen       = "[::1]:9443"
socket       = "/run/x.sock"
metrics_from = ["10.0.0.0/8", "::1"]

[[certificate]]
name  = "edge"
chain = "tls/edge.pem"
key   = "/keys/edge.key"

[trust]
ca = "device-ca.pem"

[listen]
http            = ":80"
https           = ["0.0.0.0:443", "[::]:443"]
trusted_proxies = "192.0.2.0/24"

[[service]]
name            = ["HQ.example.com", "*.Example.org"]
protocol        = "http"
target          = ["172.16.0.10", "[2001:db8::10]", "PBX.example.com"]
plain_port      = 80
tls_port        = 443
allow_from      = ["10.0.0.0/8",
                   "::1"]
allow_url       = ["/PBX0/MY"]
preset          = "mypbx"
target_ca       = "inside.pem"
target_verify   = false
connect_timeout = "2s"
idle_timeout    = "0s"
default         = true
source          = "172.16.0.5"
)", presets);
    for (const auto& problem : loaded.errors) ADD_FAILURE() << to_text(problem, "error");
    ASSERT_TRUE(loaded.config);
    EXPECT_TRUE(loaded.warnings.empty());
    const Config& config = *loaded.config;

    EXPECT_EQ(config.node.name, "edge-1");
    EXPECT_EQ(config.node.state_dir.value, "/etc/state");
    EXPECT_EQ(config.node.threads, 2U);
    ASSERT_EQ(config.node.nat_map.size(), 2U);
    EXPECT_EQ(config.node.nat_map[1].value.outside.to_string(), "2001:db8::1");
    EXPECT_EQ(config.node.nat_map[1].value.own.to_string(), "fd00::1");
    EXPECT_EQ(config.node.drain_timeout, std::chrono::minutes(1));
    EXPECT_EQ(config.node.user.value, "nobody");
    EXPECT_EQ(config.log.destination.value.kind, LogDestination::Kind::file);
    EXPECT_EQ(config.log.destination.value.file, "/etc/sallyport/gateway.log");
    EXPECT_EQ(config.log.format, LogFormat::json);
    EXPECT_EQ(config.log.level, LogLevel::debug);
    EXPECT_FALSE(config.log.forwarded);
    EXPECT_TRUE(config.log.refused);
    EXPECT_EQ(config.admin.listen.at(0).value.to_string(), "[::1]:9443");
    EXPECT_EQ(config.admin.socket.value, "/run/x.sock");
    EXPECT_EQ(config.admin.metrics_from.size(), 2U);
    EXPECT_EQ(config.certificates.at(0).chain.value, "/etc/sallyport/tls/edge.pem");
    EXPECT_EQ(config.certificates.at(0).key.value, "/keys/edge.key");
    EXPECT_EQ(config.trust.ca.at(0).value, "/etc/sallyport/device-ca.pem");
    EXPECT_EQ(config.listen.http.at(0).value.to_string(), ":80");
    EXPECT_TRUE(config.listen.http.at(0).value.dual_stack);
    EXPECT_EQ(config.listen.https.at(0).value.to_string(), "0.0.0.0:443");
    EXPECT_EQ(config.listen.https.at(1).value.to_string(), "[::]:443");
    EXPECT_FALSE(config.listen.https.at(1).value.dual_stack);

    const Service& service = config.services.at(0);
    EXPECT_EQ(service.place, (Place{"/etc/sallyport/sallyport.toml", 33, 1}));
    EXPECT_EQ(service.names.at(0).value, "hq.example.com");
    EXPECT_EQ(service.names.at(1).value, "*.example.org");
    EXPECT_EQ(service.targets.at(0).value.kind, Target::Kind::address);
    EXPECT_EQ(service.targets.at(1).value.text, "2001:db8::10");
    EXPECT_EQ(service.targets.at(2).value, (Target{.kind = Target::Kind::host, .text = "pbx.example.com"}));
    EXPECT_EQ(service.targets.at(2).place.line, 36U);
    EXPECT_EQ(service.plain_port, 80);
    EXPECT_EQ(service.tls_port, 443);
    EXPECT_EQ(service.allow_from.at(1).value.to_string(), "::1/128");
    EXPECT_EQ(service.allow_from.at(1).place, (Place{"/etc/sallyport/sallyport.toml", 40, 20}));
    EXPECT_EQ(service.allow_url.at(0).place, (Place{"/etc/sallyport/sallyport.toml", 41, 20}));
    EXPECT_EQ(service.presets.at(0).value, "mypbx");
    EXPECT_EQ(service.target_ca.value, "/etc/sallyport/inside.pem");
    EXPECT_FALSE(service.target_verify);
    EXPECT_EQ(service.connect_timeout, std::chrono::seconds(2));
    EXPECT_EQ(service.idle_timeout, Duration::zero());
    EXPECT_TRUE(service.is_default);
    EXPECT_EQ(service.source->value.to_string(), "172.16.0.5");
}

TEST(Load, TakesTheQuickstartExample) {
    const auto loaded = load(std::filesystem::path(SALLYPORT_SOURCE_DIR) / "examples/quickstart/sallyport.toml", presets);
    for (const auto& problem : loaded.errors) ADD_FAILURE() << to_text(problem, "error");
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->node.state_dir.value, SALLYPORT_SOURCE_DIR "/build/quickstart");
    EXPECT_EQ(loaded.config->services.at(0).targets.at(0).value, (Target{.kind = Target::Kind::builtin, .text = "welcome"}));
}

TEST(Load, NamesEachBadValueWithItsPlace) {
    struct Case { const char* text; const char* listing; };
    const Case cases[] = {
        {"[node]\nthraeds = 1\n", "2:1: unknown key \"thraeds\" in [node] (did you mean \"threads\"?)\n"},
        {"[node]\nxyzzy = 1\n", "2:1: unknown key \"xyzzy\" in [node]\n"},
        {"[node]\nhttps = \":443\"\n", "2:1: unknown key \"https\" in [node] (it belongs into [listen])\n"},
        {"[node]\nthreads = \"2\"\n", "2:11: threads: must be an integer, not a string\n"},
        {"[node]\nthreads = -1\n", "2:11: threads: -1 is out of range (from 0 to 1024)\n"},
        {"[node]\nthreads = 1025\n", "2:11: threads: 1025 is out of range (from 0 to 1024)\n"},
        {"[node]\nname = \"\"\n", "2:8: name: must not be empty\n"},
        {"[node]\ndrain_timeout = 30\n", "2:17: drain_timeout: must be a duration, not an integer (such as \"30s\")\n"},
        {"[node]\ndrain_timeout = \"30\"\n",
         "2:17: drain_timeout: \"30\" has no unit (write \"30s\", say: a whole number and one of ms, s, m, h, d)\n"},
        {"[node]\ndrain_timeout = \"2d\"\n", "2:17: drain_timeout: \"2d\" is out of range (from 0s to 1d)\n"},
        {"[node]\nnat_map = \"203.0.113.10=fd00::1\"\n",
         "2:11: nat_map: \"203.0.113.10=fd00::1\" is not a mapping of two addresses of one family "
         "(the form is \"public=own\", such as \"203.0.113.10=172.16.0.5\")\n"},
        {"[log]\nformat = \"jsn\"\n", "2:10: format: \"jsn\" is not known here (did you mean \"json\"? known: \"auto\", \"text\", \"json\")\n"},
        {"[log]\nrefused = \"yes\"\n", "2:11: refused: must be a boolean, not a string (true or false, without quotes)\n"},
        {"[admin]\nsocket = \"a\\u0000b\"\n", "2:10: socket: a path has no NUL\n"},
        {"[admin]\nmetrics_from = [\"10.0.0.0/8\", \"::/129\", 3]\n",
         "2:31: metrics_from: \"::/129\" is not a network (such as \"10.0.0.0/8\", \"2001:db8::/32\" or one address)\n"
         "2:41: metrics_from: must be a network, not an integer (such as \"10.0.0.0/8\")\n"},
        {"[listen]\nhttp = 80\n", "2:8: http: must be a listen address, not an integer (such as \":443\")\n"},
        {"[listen]\nhttp = [\"80\", \":0\", \":65536\", \"*:80\", \"host:80\", \"192.0.2.1:0\"]\n",
         "2:9: http: \"80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"
         "2:15: http: \":0\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"
         "2:21: http: \":65536\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"
         "2:31: http: \"*:80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"
         "2:39: http: \"host:80\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"
         "2:50: http: \"192.0.2.1:0\" is not an address to listen on (such as \":443\" (all addresses), \"192.0.2.1:443\" or \"[2001:db8::1]:443\")\n"},
        {"[listen]\nsips = \":5061\"\nmux = \":443\"\n",
         "2:1: \"sips\" is not served by this version\n3:1: \"mux\" is not served by this version\n"},
        {"[[certificate]]\nname = \"a\"\n",
         "1:1: [[certificate]] has no \"chain\" (The certificate and those that signed it, PEM, its own first.)\n"
         "1:1: [[certificate]] has no \"key\" (Its private key, PEM.)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto loaded = load_here(c.text);
        EXPECT_EQ(listing(loaded.errors), c.listing);
        EXPECT_FALSE(loaded.config);
    }
}

TEST(Load, NamesEachBadTableWithItsPlace) {
    struct Case { const char* text; const char* listing; };
    const Case cases[] = {
        {"[servise]\n", "1:2: unknown table \"servise\" (did you mean \"service\"?)\n"},
        {"[turn]\nudp = \":3478\"\n", "1:2: [turn] is not supported by this version\n"},
        {"[[turn.user]]\nname = \"alice\"\n", "1:3: [turn] is not supported by this version\n"},
        {"threads = 2\n", "1:1: \"threads\" stands outside any table (it belongs into [node])\n"},
        {"xyzzy = 2\n", "1:1: \"xyzzy\" stands outside any table\n"},
        {"[service]\nname = \"a\"\n", "1:1: \"service\" must be a list of tables, not a table (write [[service]])\n"},
        {"service = [1]\n", "1:11: \"service\" must be a list of tables, not a list (write [[service]])\n"},
        {"[[node]]\nname = \"a\"\n", "1:1: \"node\" must be one table, not a list (write [node])\n"},
        {"node = 1\n", "1:8: \"node\" must be one table, not an integer (write [node])\n"},
        {"[node.deep.er.still.more]\na = 1\n", "1:7: unknown key \"deep\" in [node]\n"},
        {"[node]\nname = edge\n", "2:8: this is not TOML: value: could not determine value type (text, durations, addresses and paths stand in double quotes)\n"},
        {"[node]\nname = \"a\"\nname = \"b\"\n", "3:8: this is not TOML: key-value pair: cannot redefine existing string 'name'\n"},
        {"[node]\nthraeds = 1\n[node]\n", "3:1: this is not TOML: table header: cannot redefine existing table 'node'\n"},
        {"[node]\nname = \"\xFF\"\n", "2:8: this is not TOML: Encountered invalid utf-8 sequence\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(c.text).errors), c.listing);
    }
}

TEST(Load, HoldsAServiceToItsRules) {
    struct Case { const char* text; const char* listing; };
    const std::string start = "[listen]\nhttp = \":80\"\n";
    const Case cases[] = {
        {"[[service]]\nname = \"a.example\"\n",
         "3:1: [[service]] has no \"protocol\" (The protocol that it is asked for in.)\n"
         "3:1: [[service]] has no \"target\" (Where it goes: an address, a host name, or \"builtin:welcome\", the gateway's own page. "
         "Several: the first that answers.)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\n",
         "3:1: [[service]] has neither \"plain_port\" nor \"tls_port\" (both: encryption stays as it came; one: everything goes to that port)\n"},
        {"[[service]]\nname = [\"a b\", \"*\"]\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\n",
         "4:9: name: \"a b\": this is not a DNS name (letters, digits, hyphens and dots, such as \"hq.example.com\")\n"
         "4:16: name: \"*\": a wildcard needs a domain: \"*.example.com\" (for requests without a name: default = true)\n"},
        {"[[service]]\nname = []\nprotocol = \"http\"\ntarget = []\nplain_port = 80\nallow_from = []\nallow_url = []\n",
         "4:8: name: an empty list (a service needs a name)\n"
         "6:10: target: an empty list (a service needs a target)\n"
         "8:14: allow_from: an empty list (it would admit nobody: remove the key to admit everyone)\n"
         "9:13: allow_url: an empty list (it would admit nothing: remove the key to admit every URL)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"sip\"\ntarget = \"192.0.2.1\"\n", "5:12: protocol: \"sip\" is not served by this version\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"htp\"\ntarget = \"192.0.2.1\"\n",
         "5:12: protocol: \"htp\" is not known here (did you mean \"http\"? known: \"http\", \"sip\", \"ldap\", \"h323\", \"tls\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = [\"127.0.0.1:8080\", \"pbx:80\", \"[::1]:80\", \"http://x/\", \"a b\", \"builtin:x\"]\nplain_port = 80\n",
         "6:11: target: a target has no port (write the port as plain_port = 8080 or tls_port = 8080)\n"
         "6:29: target: a target has no port (write the port as plain_port = 80 or tls_port = 80)\n"
         "6:39: target: a target has no port (write the port as plain_port = 80 or tls_port = 80)\n"
         "6:51: target: a target is a host, not a URL (plain_port and tls_port say how it is reached)\n"
         "6:64: target: \"a b\" is neither an address nor a host name (such as \"172.16.0.10\" or \"pbx.example.com\")\n"
         "6:71: target: \"builtin:x\" is not built in (there is \"builtin:welcome\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = [\"builtin:welcome\", \"192.0.2.1\"]\ntls_port = 443\n",
         "6:11: target: what is built in stands alone\n"
         "7:1: tls_port: the target is built in and has no port (remove it)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 0\ntls_port = 65536\n",
         "7:14: plain_port: 0 is out of range (from 1 to 65535)\n8:12: tls_port: 65536 is out of range (from 1 to 65535)\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\nallow_url = [\"PBX0\", \"/a/../b\"]\npreset = \"mypbxx\"\n",
         "8:14: allow_url: an allowed URL begins with \"/\" (write \"/PBX0\")\n"
         "8:22: allow_url: this rule can never match: a path with \"/../\" is refused before any rule is asked\n"
         "9:10: preset: \"mypbxx\" is not known here (did you mean \"mypbx\"? known: \"mypbx\", \"reporting\")\n"},
        {"[[service]]\nname = \"a.example\"\nprotocol = \"http\"\ntarget = \"192.0.2.1\"\nplain_port = 80\nsource = \"eth0\"\nconnect_timeout = \"1ms\"\n",
         "8:10: source: \"eth0\" is not an IP address (such as \"192.0.2.1\" or \"2001:db8::1\")\n"
         "9:19: connect_timeout: \"1ms\" is out of range (from 100ms to 10m)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(start + c.text).errors), c.listing);
    }
}

TEST(Load, HoldsTheTablesToOneAnother) {
    struct Case { std::string text; const char* listing; };
    const std::string service = std::string(good_service) + "plain_port = 80\n";
    const Case cases[] = {
        {"[listen]\nhttp = \":80\"\nhttps = \"192.0.2.1:80\"\n", "3:9: https: \"192.0.2.1:80\" is taken by http \":80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"0.0.0.0:80\", \"192.0.2.1:80\"]\n", "2:23: http: \"192.0.2.1:80\" is taken by http \"0.0.0.0:80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"192.0.2.1:80\", \"0.0.0.0:80\"]\n", "2:25: http: \"0.0.0.0:80\" is taken by http \"192.0.2.1:80\" (at s.toml:2: a port has one use)\n"},
        {"[listen]\nhttp = [\"0.0.0.0:80\", \"[::]:80\", \"192.0.2.1:81\", \"192.0.2.2:81\"]\n", ""},
        {"[listen]\nhttp = [\"[::]:80\", \"192.0.2.1:80\"]\n", ""},
        {"[admin]\nlisten = \"127.0.0.1:443\"\n[listen]\nhttps = \":443\"\n",
         "2:10: [admin] listen: \"127.0.0.1:443\" is taken by https \":443\" (at s.toml:4: a port has one use)\n"},
        {"[[certificate]]\nname = \"a\"\nchain = \"a\"\nkey = \"a\"\n[[certificate]]\nname = \"a\"\nchain = \"b\"\nkey = \"b\"\n",
         "6:8: name: certificate \"a\" stands twice (first at s.toml:2)\n"},
        {service + "[[service]]\nname = [\"b.example\", \"A.example\"]\nprotocol = \"http\"\ntarget = \"192.0.2.2\"\nplain_port = 80\n",
         "7:22: name: \"a.example\" stands twice for protocol \"http\" (first at s.toml:2)\n"},
        {service + "default = true\n[[service]]\nname = \"b.example\"\nprotocol = \"http\"\ntarget = \"builtin:welcome\"\ndefault = true\n",
         "7:1: a second service is the default for protocol \"http\" (the first stands at s.toml:1)\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        EXPECT_EQ(listing(load_here(c.text).errors), c.listing);
    }
}

TEST(Load, WarnsOfWhatIsProbablyNotMeant) {
    struct Case { std::string text; const char* listing; };
    const std::string service = std::string(good_service) + "plain_port = 80\n";
    const Case cases[] = {
        {"[listen]\nhttps = \":443\"\n", "2:9: https: there is no [[certificate]]: a self-signed one is made at the first start "
                                         "(browsers will warn; for a real one write [[certificate]] with chain and key)\n"},
        {service, "1:1: nobody can reach this service: [listen] serves no port for protocol \"http\"\n"},
        {"[listen]\nhttp = \":80\"\n" + service + "allow_url = [\"/PBX0\", \"/apps/\", \"/\"]\n",
         "8:23: allow_url: \"/apps/\" admits no further \"/\" after it, unlike nginx's locations (\"/apps\" admits all that begins so)\n"
         "8:33: allow_url: \"/\" admits no further \"/\" after it, unlike nginx's locations (remove allow_url to admit every path)\n"},
        {"[listen]\nhttp = \":80\"\n" + service + "target_ca = \"ca.pem\"\n", "8:1: target_ca: has no effect without tls_port\n"},
        {"[admin]\nmetrics_from = \"10.1.2.3/8\"\n",
         "2:16: metrics_from: \"10.1.2.3/8\" has bits set beyond its prefix (it is read as \"10.0.0.0/8\")\n"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto loaded = load_here(c.text);
        EXPECT_EQ(listing(loaded.errors), "");
        EXPECT_TRUE(loaded.config);
        EXPECT_EQ(listing(loaded.warnings), c.listing);
    }
}

// What load() can't reach before later versions serve these protocols.
TEST(FinishService, HoldsLaterProtocolsToTheirPortRules) {
    struct Case { Protocol protocol; std::vector<std::string_view> keys; const char* listing; };
    const Case cases[] = {
        {Protocol::tls, {"protocol", "plain_port"},
         "0:0: plain_port: protocol \"tls\" is passed through as it is, there is no plain side\n"
         "0:0: [[service]] has no \"tls_port\" (protocol \"tls\" needs the target's port)\n"},
        {Protocol::tls, {"protocol", "tls_port", "allow_url"}, "0:0: allow_url: protocol \"tls\" knows no such key\n"},
        {Protocol::h323, {"protocol", "tls_port", "check_certificate"},
         "0:0: check_certificate: needs both plain_port and tls_port (a valid certificate goes to the one, everything else to the other)\n"},
        {Protocol::h323, {"protocol", "plain_port", "tls_port", "check_certificate", "registration_name"}, ""},
        {Protocol::sip, {"protocol", "plain_port", "tls_port", "check_certificate", "route_header"}, ""},
        {Protocol::ldap, {"protocol", "plain_port", "check_certificate", "redirect_to_https"},
         "0:0: check_certificate: protocol \"ldap\" knows no such key\n"
         "0:0: redirect_to_https: protocol \"ldap\" knows no such key\n"
         "0:0: check_certificate: needs both plain_port and tls_port (a valid certificate goes to the one, everything else to the other)\n"},
    };
    const Table& table = schema().back();
    for (const Case& c : cases) {
        Service service;
        service.protocol = c.protocol;
        service.check_certificate = true;
        GivenKeys given;
        for (const auto key : c.keys) given.push_back({table.find(key), {}, true});
        Findings findings;
        finish_service(service, given, presets, findings);
        EXPECT_EQ(listing(findings.errors), c.listing);
    }
    Service welcome;
    welcome.protocol = Protocol::ldap;
    welcome.targets.push_back({{.kind = Target::Kind::builtin, .text = "welcome"}, {}});
    Findings findings;
    finish_service(welcome, {{table.find("protocol"), {}, true}}, presets, findings);
    EXPECT_EQ(listing(findings.errors), "0:0: target: what is built in speaks http only\n");
}

TEST(Load, ReportsAllErrorsOfAllFilesInTheirOrder) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nthreads = \"x\"\n[listen]\nhttp = \":80\"\n");
    folder.write("conf.d/20-b.toml", "[listen]\nhttps = \":443\"\n");
    folder.write("conf.d/10-a.toml", std::string(good_service));
    folder.write("conf.d/.hidden.toml", "broken");
    folder.write("conf.d/notes.txt", "broken");
    const auto loaded = load(folder / "sallyport.toml", presets);
    ASSERT_EQ(loaded.files.size(), 3U);
    EXPECT_TRUE(loaded.files[1].file().ends_with("conf.d/10-a.toml"));
    EXPECT_EQ(listing(loaded.errors),
              "2:11: threads: must be an integer, not a string\n"
              "1:1: [[service]] has neither \"plain_port\" nor \"tls_port\" (both: encryption stays as it came; one: everything goes to that port)\n"
              "1:1: [listen] stands twice (first at " + (folder / "sallyport.toml").string() + ":3)\n");
    EXPECT_EQ(loaded.errors.front().source_line, "threads = \"x\"");
    EXPECT_EQ(loaded.errors.back().file, (folder / "conf.d/20-b.toml").string());
}

TEST(Load, ResolvesPathsAgainstTheFileThatNamesThem) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nstate_dir = \"state\"\n");
    folder.write("conf.d/trust.toml", "[trust]\nca = \"ca.pem\"\n");
    const auto loaded = load(folder / "sallyport.toml", presets);
    ASSERT_TRUE(loaded.config);
    EXPECT_EQ(loaded.config->node.state_dir.value, folder / "state");
    EXPECT_EQ(loaded.config->trust.ca.at(0).value, folder / "conf.d/ca.pem");
}

TEST(Load, TellsASyntaxErrorAlone) {
    const Folder folder;
    folder.write("sallyport.toml", "[node]\nthreads = \"x\"\n");
    folder.write("conf.d/a.toml", "[log]\nlevel = debug\n");
    folder.write("conf.d/b.toml", "[log]\nlevel = 3\n");
    const auto loaded = load(folder / "sallyport.toml", presets);
    EXPECT_EQ(listing(loaded.errors), "2:9: this is not TOML: value: could not determine value type (text, durations, addresses and paths stand in double quotes)\n");
    EXPECT_EQ(loaded.errors.front().source_line, "level = debug");
}

TEST(Load, SaysWhichFileItCouldNotRead) {
    const Folder folder;
    folder.write("conf.d/a.toml", "[node]\n");
    const auto missing = load(folder / "sallyport.toml", presets);
    ASSERT_EQ(missing.errors.size(), 1U);
    EXPECT_EQ(to_text(missing.errors.front(), "error"), (folder / "sallyport.toml").string() + ": error: can't be read: No such file or directory\n");

    const auto is_folder = load(folder / "conf.d", presets);
    ASSERT_EQ(is_folder.errors.size(), 1U);
    EXPECT_EQ(is_folder.errors.front().message, "can't be read: Is a directory");

    folder.write("large.toml", std::string(9U << 20, '#'));
    EXPECT_EQ(load(folder / "large.toml", presets).errors.front().message, "is larger than 8 MiB");
}

TEST(Load, StopsCountingErrorsAtAThousand) {
    std::string text = "[node]\n";
    for (int i = 0; i < 2000; ++i) text += 'x' + std::to_string(i) + " = 1\n";
    const auto loaded = load_here(text);
    ASSERT_EQ(loaded.errors.size(), 1001U);
    EXPECT_EQ(loaded.errors.back().message, "there are more, of which nothing is said here");
}

TEST(Load, SurvivesKeysNestedWithoutEnd) {
    std::string deep = "a";
    for (int i = 0; i < 1'000'000; ++i) deep += ".a";
    EXPECT_EQ(listing(load_here("\n" + deep + " = 1\n").errors), "2:1: this line is too long to be read (break it: a list may span several lines)\n");
    EXPECT_EQ(load_here("a = " + std::string(100'000, '[')).errors.size(), 1U);

    std::string worst = "a";
    for (int i = 1; i < 1000; ++i) worst += ".a";
    std::string nested = "x = [\n";
    for (int i = 0; i < 3; ++i) nested += '{' + worst + " = [\n";
    for (int i = 0; i < 3; ++i) nested += "]}";
    EXPECT_EQ(load_here('[' + worst + "]\n" + nested + "]\n").errors.size(), 1U);
}

TEST(Problem, PrintsTheLineAndACaretUnderItsCharacter) {
    const auto loaded = load_here("[log]\n\tdestination = \"\xC3\xBC\" # \x1B\n\tx\xC3\xBC = 1\n");
    ASSERT_EQ(loaded.errors.size(), 1U);
    const auto quoted_key = load_here("[log]\n\t\"\xC3\xBC\xC3\xBC\" = 1\n[listen]\nhttp = [\":80\", \"\xC3\xBC\", \":80\"]\n[admin]\nlisten = \"1\"\n");
    ASSERT_EQ(quoted_key.errors.size(), 4U);
    EXPECT_EQ(to_text(quoted_key.errors[0], "error"), "s.toml:2:2: error: unknown key \"\xC3\xBC\xC3\xBC\" in [log]\n  \t\"\xC3\xBC\xC3\xBC\" = 1\n  \t^\n");
    EXPECT_EQ(to_text(quoted_key.errors[2], "warning"),
              "s.toml:4:21: warning: http: \":80\" is taken by http \":80\"\n"
              "  http = [\":80\", \"\xC3\xBC\", \":80\"]\n"
              "                      ^\n"
              "  hint: at s.toml:4: a port has one use\n");
}

TEST(Problem, WritesNoControlCharactersAndNoEndlessLines) {
    EXPECT_EQ(to_text({.file = "f", .line = 1, .column = 2, .message = "a\x1B[2J", .hint = "b\r", .source_line = "x\x07y"}, "error"),
              "f:1:2: error: a?[2J\n  x?y\n   ^\n  hint: b?\n");
    EXPECT_EQ(quote(std::string(119, 'a') + "\xC3\xBC"), '"' + std::string(119, 'a') + "...\"");
    const auto loaded = load_here("[node]\nx = \"" + std::string(1000, 'y') + "\"\n");
    EXPECT_EQ(loaded.errors.at(0).source_line, "");
}
