// The command line: verbs and options, nothing else.
#include "cli/daemon.hpp"
#include "cli/diagnose.hpp"
#include "cli/egress.hpp"
#include "cli/firewall.hpp"
#include "cli/push.hpp"
#include "cli/turn.hpp"
#include "cli/verbs.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <tuple>

namespace {

using namespace sallyport::cli;

int finish(Exit code) { return static_cast<int>(code); }

void add_connections(CLI::App& app, const Common& common, ConnectionsOptions& options, int& code) {
    auto* verb = app.add_subcommand("connections", "the connections that are open; kill ends some");
    verb->add_option("--service", options.service, "only those that are busy with this service");
    verb->add_subcommand("list", "list them");
    auto* kill = verb->add_subcommand("kill", "end one by its id, or with --service all of a service");
    kill->add_option("id", options.id, "as listed");
    verb->require_subcommand(0, 1);
    verb->callback([&, kill, verb] {
        code = finish(verb->got_subcommand(kill) ? kill_connections(common, options) : connections(common, options));
    });
}

void add_services(CLI::App& app, const Common& common, StateOptions& options, int& code) {
    auto* verb = app.add_subcommand("services", "every target: does it answer, what does it carry, why is it down");
    verb->require_subcommand(0, 1);
    verb->callback([&, verb] {
        if (verb->get_subcommands().empty()) code = finish(services(common));
    });
    constexpr std::pair<const char*, const char*> states[] = {
        {"up", "put targets back"},
        {"drain", "give targets nothing new; what they have goes on"},
        {"maintenance", "the same, and no health checks"},
    };
    for (const auto& [state, meaning] : states) {
        auto* set = verb->add_subcommand(state, meaning);
        set->add_option("service", options.service, "a name of the service")->required();
        set->add_option("--protocol", options.protocol, "where several services have the name");
        set->add_option("--target", options.target, "one of its targets; else all");
        set->callback([&, state] { code = finish(set_state(common, options, state)); });
    }
}

void add_bans(CLI::App& app, const Common& common, BanOptions& options, int& code) {
    auto* verb = app.add_subcommand("bans", "who is banned, since when, until when and why");
    verb->require_subcommand(0, 1);
    verb->callback([&, verb] {
        if (verb->get_subcommands().empty()) code = finish(bans(common));
    });
    verb->add_subcommand("list", "list them")->callback([&] { code = finish(bans(common)); });
    verb->add_subcommand("top", "the ten most suspicious clients, and what they did")->callback([&] {
        code = finish(suspects(common));
    });
    auto* remove = verb->add_subcommand("remove", "take an entry away: a ban, or one made by allow");
    remove->add_option("address", options.address, "as listed")->required();
    remove->callback([&] { code = finish(remove_ban(common, options)); });
    constexpr std::tuple<const char*, const char*, const char*> entries[] = {
        {"add", "ban", "ban an address or a network"},
        {"allow", "allow", "lift the ban of an address or a network, and never ban it again"},
    };
    for (const auto& [name, verdict, meaning] : entries) {
        auto* set = verb->add_subcommand(name, meaning);
        set->add_option("address", options.address, "an address or a network; IPv6 goes by /64")->required();
        set->add_option("--for", options.lasts, "1h, 7d, ever; absent: ban_for of a ban, ever of an allow entry");
        set->add_option("--reason", options.reason, "why, for whoever reads the list");
        set->callback([&, verdict] { code = finish(set_ban(common, options, verdict)); });
    }
}

void add_egress(CLI::App& app, const Common& common, EgressOptions& options, int& code) {
    auto* verb = app.add_subcommand("egress", "who goes out from which source address");
    verb->require_subcommand(0, 1);
    verb->callback([&, verb] {
        if (verb->get_subcommands().empty()) code = finish(egress_list(common, options));
    });
    auto* list = verb->add_subcommand("list", "list them");
    list->add_flag("--csv", options.csv, "as a table for other programs");
    list->callback([&] { code = finish(egress_list(common, options)); });
    auto* whois = verb->add_subcommand("whois", "who is behind an address, and what they go out from");
    whois->add_option("address", options.address, "a client's, or a source address")->required();
    whois->callback([&] { code = finish(egress_whois(common, options)); });
    auto* pin = verb->add_subcommand("pin", "hold somebody's source address fast");
    auto* who = pin->add_option_group("who");
    who->add_option("--client", options.client, "a client's address");
    who->add_option("--network", options.network, "a network of clients");
    who->add_option("--mac", options.mac, "a device");
    who->add_option("--user", options.user, "a user");
    who->require_option(1);
    pin->add_option("source", options.source, "the address to go out from")->required();
    pin->add_flag("--remove", options.remove, "take the pin away instead");
    pin->callback([&] { code = finish(egress_pin(common, options)); });
}

void add_push(CLI::App& app, const Common& common, std::string& device, int& code) {
    auto* verb = app.add_subcommand("push", "Apple's push service: would devices reach it, and which do");
    verb->require_subcommand(1);
    auto* check = verb->add_subcommand("check", "look up every courier and connect to every address");
    check->add_option("--as", device, "the device from whose source address, where there is [egress]");
    check->callback([&] { code = finish(push_check(common, device)); });
    verb->add_subcommand("devices", "who asked, who connected, and who asked and never came")->callback([&] {
        code = finish(push_devices(common));
    });
}

void add_turn(CLI::App& app, const Common& common, TurnOptions& options, int& code) {
    auto* verb = app.add_subcommand("turn", "STUN and TURN: who relays, credentials, does a server work");
    verb->require_subcommand(1);
    verb->add_subcommand("sessions", "the allocations that live: who, to whom, how much, and what is wrong")
        ->callback([&] { code = finish(turn_sessions(common)); });
    auto* credential = verb->add_subcommand("credential", "make a time-limited credential with the shared secret");
    credential->add_option("user", options.user, "whom it is for: quotas count by this name")->required();
    credential->add_option("--ttl", options.lifetime, "how long it holds")->capture_default_str();
    credential->add_option("--host", options.host, "what clients know this node by, for the URIs");
    credential->callback([&] { code = finish(turn_credential(common, options)); });
    auto* test = verb->add_subcommand("test", "allocate at a server, and send through it to itself");
    test->add_option("uri", options.uri, "turn:turn.example.com:3478?transport=tcp; turns: stun: stuns:")->required();
    auto* user = test->add_option("--user", options.user, "a user there; absent: one of the configuration");
    test->add_option("--password", options.password, "of that user")->needs(user);
    test->add_flag("--insecure", options.insecure, "whatever certificate it shows");
    test->callback([&] { code = finish(turn_test(common, options)); });
}

void add_diagnose(CLI::App& app, const Common& common, DiagnoseOptions& options, int& code) {
    auto* verb =
        app.add_subcommand("diagnose", "from packets to the fault, the time it costs and the rule that mends it");
    verb->add_option("file", options.files, "captures, pcap or pcapng, also packed by gzip; - for standard input");
    auto* live = verb->add_option("--live", options.live, "capture from this interface (any: all of them)");
    verb->add_option("--client", options.client, "only what this address sends and gets");
    verb->add_option("--issuer", options.issuer,
                     "part of the name of who issues the servers' certificates: others are told");
    verb->add_option("--for", options.duration, "how long to capture")->capture_default_str()->needs(live);
    verb->add_option("--packets", options.packets, "capture at most so many packets")->needs(live);
    auto* write =
        verb->add_option("--write", options.write, "keep the capture in this file as well, and in FILE.1")->needs(live);
    verb->add_option("--write-limit", options.write_limit, "bytes of both files")->capture_default_str()->needs(write);
    verb->add_option("--report", options.report, "write the report as a page of HTML, too");
    verb->add_option("--tls-secrets", options.tls_secrets,
                     "write the TLS secrets that captures hold to this file, as a key log for tools that decrypt")
        ->excludes(live);
    verb->callback([&] { code = finish(diagnose(common, options)); });
}

void add_dns(CLI::App& app, const Common& common, ExplainOptions& options, std::string& type, int& code) {
    auto* dns_verb = app.add_subcommand("dns", "the name server");
    dns_verb->require_subcommand(1);
    auto* query = dns_verb->add_subcommand("query", "what a client would be told of a name, and why");
    query->add_option("name", options.subject, "hq.example.com")->required();
    query->add_option("type", type, "A, AAAA, HTTPS, TYPE65280")->capture_default_str();
    query->add_option("--as", options.client, "address of the one who asks")->capture_default_str();
    query->callback([&] {
        options.subject = "dns:" + options.subject + '?' + type;
        options.ask = true;
        code = finish(explain(common, options));
    });
}

void add_firewall(CLI::App& app, const Common& common, FirewallOptions& options, int& code) {
    auto* verb = app.add_subcommand("firewall", "the packet filter that follows from the configuration");
    verb->require_subcommand(1);
    auto* show = verb->add_subcommand("show", "print the rules");
    show->add_option("--format", options.format, "nft, iptables, ip6tables; request or portmap, for other admins")
        ->check(CLI::IsMember({"nft", "iptables", "ip6tables", "request", "portmap"}))
        ->capture_default_str();
    show->callback([&] { code = finish(firewall_show(common, options)); });
    auto* apply = verb->add_subcommand("apply", "load the rules; without a confirm, what was there comes back");
    apply->add_option("--confirm", options.confirm, "how long it waits for it")->capture_default_str();
    apply->add_flag("--now", options.now, "for good at once, with nothing to confirm");
    apply->add_flag("--even-if-cut-off", options.even_if_cut_off,
                    "although they would not let this connection in again");
    apply->callback([&] { code = finish(firewall_apply(common, options)); });
    auto* confirm = verb->add_subcommand("confirm", "keep what was applied; from a new connection");
    confirm->add_flag("--same-connection", options.same_connection, "from the connection that applied it");
    confirm->callback([&] { code = finish(firewall_confirm(common, options)); });
    auto* attempt =
        verb->add_subcommand("try-reset", "refuse a port by TCP reset for a while: do clients go on at once?");
    attempt->add_option("port", options.try_port, "a TCP port")->required()->check(CLI::Range(1, 65535));
    attempt->add_option("--for", options.try_for, "how long; Ctrl-C ends it sooner")->capture_default_str();
    attempt->callback([&] { code = finish(firewall_try_reset(common, options)); });
    constexpr std::tuple<const char*, const char*, Exit (*)(const Common&)> others[] = {
        {"diff", "how what is loaded differs from what the configuration says", firewall_diff},
        {"check", "try the rules, and tell what speaks against them: other tables that drop, too", firewall_check},
        {"rollback", "undo what was applied; without that, go back to what was confirmed before", firewall_rollback},
        {"remove", "take our table out of the kernel, and no other", firewall_remove},
        {"boot", "load what was confirmed, at the start of the machine", firewall_boot},
    };
    for (const auto& [name, meaning, act] : others)
        verb->add_subcommand(name, meaning)->callback([&common, &code, act] { code = finish(act(common)); });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "A gateway for traffic that must cross firewalls and NAT.\n"
        "Exit status: 0 done, 1 failed, 2 usage, 3 invalid input, 4 gateway not reachable, 5 not permitted, 10 the "
        "answer is no.",
        "sallyport"};
    app.require_subcommand(1);
    app.fallthrough();
    app.set_version_flag("--version", "sallyport " SALLYPORT_VERSION);

    Common common;
    app.add_option("-c,--config", common.config_file, "configuration file")->capture_default_str();
    app.add_flag("--json", common.json, "print JSON, for programs");

    ExplainOptions explain_options;
    ConnectionsOptions connections_options;
    StateOptions state_options;
    BanOptions ban_options;
    DiagnoseOptions diagnose_options;
    EgressOptions egress_options;
    std::string push_device;
    FirewallOptions firewall_options;
    TurnOptions turn_options;
    std::string page = "configuration";
    std::string dns_type = "A";
    int code = 0;

    app.add_subcommand("run", "run the gateway in the foreground")->callback([&] {
        code = finish(run_daemon(common.config_file));
    });
    app.add_subcommand("check", "find all errors in the configuration, and try ports, files and names")->callback([&] {
        code = finish(check(common));
    });
    auto* explain_verb = app.add_subcommand("explain", "who would take this, and why: rule by rule");
    explain_verb->add_option("subject", explain_options.subject, "https://hq.example.com/path")->required();
    explain_verb->add_option("--client", explain_options.client, "address of the one who asks")->capture_default_str();
    explain_verb->add_flag("--tls", explain_options.tls, "the client comes by TLS, where the subject does not say");
    explain_verb->add_option("--certificate", explain_options.certificate, "the client shows this certificate (PEM)");
    explain_verb->callback([&] { code = finish(explain(common, explain_options)); });
    add_dns(app, common, explain_options, dns_type, code);
    app.add_subcommand("reload", "read the configuration anew; no connection is cut")->callback([&] {
        code = finish(reload(common));
    });
    app.add_subcommand("status", "what the running gateway does")->callback([&] { code = finish(status(common)); });
    app.add_subcommand("drain", "take nothing new, and stop when all is done")->callback([&] {
        code = finish(drain(common));
    });
    add_connections(app, common, connections_options, code);
    add_services(app, common, state_options, code);
    add_bans(app, common, ban_options, code);
    add_diagnose(app, common, diagnose_options, code);
    add_egress(app, common, egress_options, code);
    add_push(app, common, push_device, code);
    add_turn(app, common, turn_options, code);
    add_firewall(app, common, firewall_options, code);
    app.add_subcommand("ports", "who listens here, what the firewall says of it, and what clients asked for in vain")
        ->callback([&] { code = finish(ports(common)); });
    auto* reference_verb = app.add_subcommand("reference", "print a generated page of the manual");
    reference_verb->add_option("page", page, "configuration, reasons or editor-schema")
        ->check(CLI::IsMember({"configuration", "reasons", "editor-schema"}));
    reference_verb->callback([&] { code = finish(reference(page)); });
    app.add_subcommand("version", "print the version")->callback([] { std::puts("sallyport " SALLYPORT_VERSION); });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : finish(Exit::usage); }
    return code;
}
