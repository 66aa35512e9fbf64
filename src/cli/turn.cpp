#include "cli/turn.hpp"

#include "admin/message.hpp"
#include "base/text.hpp"
#include "cli/call.hpp"
#include "cli/generation.hpp"
#include "cli/shapes.hpp"
#include "cli/turn_settings.hpp"
#include "cli/turn_shapes.hpp"
#include "config/config.hpp"
#include "config/units.hpp"
#include "io/loop.hpp"
#include "io/scope.hpp"
#include "turn/trial.hpp"
#include "turn/uri.hpp"
#include "wire/stun/framing.hpp"

#include <netdb.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <vector>

namespace sallyport::cli {

using nlohmann::json;

namespace {

Exit say(Exit exit, const std::string& what) {
    std::fprintf(stderr, "sallyport: %s\n", what.c_str());
    return exit;
}

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::optional<config::Config> load_or_say(const Common& common) {
    const auto presets = preset_names();
    auto loaded = config::load(common.config_file, presets);
    for (const auto& error : loaded.errors) std::fputs(config::to_text(error, "error").c_str(), stderr);
    return std::move(loaded.config);
}

struct Credential {
    std::string user;
    std::string password;
};

// By the first of the secrets; nothing when there is none, and then it has been said.
std::optional<Credential> time_limited(const config::Config& config, std::string_view name, Duration lifetime) {
    const auto secrets = shared_secrets(config, [](const config::Place&, const std::string& what) {
        std::fprintf(stderr, "sallyport: %s\n", what.c_str());
    });
    if (secrets.values.empty()) {
        say(Exit::invalid, "[turn] has no shared_secret to make a credential with");
        return std::nullopt;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto until =
        std::chrono::floor<std::chrono::seconds>(now) + std::chrono::floor<std::chrono::seconds>(lifetime);
    std::string user = std::to_string(until.count()) + ':' + std::string(name);
    std::string password = turn::time_limited_password(user, secrets.values.front(), secrets.hash);
    return Credential{std::move(user), std::move(password)};
}

// What clients write: the name that is asked for, or the listener's own address as the outside knows it, or the realm.
json uris(const config::Config& config, const std::string& host) {
    json out = json::array();
    const auto add = [&](const auto& listeners, const std::string& scheme, const std::string& transport) {
        for (const auto& listen : listeners) {
            const SocketAddress& address = listen.value.address;
            std::string name = host;
            if (name.empty()) name = config.turn.realm.value;
            if (host.empty() && !address.ip.is_unspecified()) {
                IpAddress outside = address.ip;
                for (const auto& one : config.node.nat_map)
                    if (one.value.own == address.ip) outside = one.value.outside;
                name = outside.is_v4() ? outside.to_string() : '[' + outside.to_string() + ']';
            }
            out.push_back(scheme + ':' + name + ':' + std::to_string(address.port) + "?transport=" + transport);
        }
    };
    add(config.turn.udp, "turn", "udp");
    add(config.turn.tcp, "turn", "tcp");
    add(config.turn.tls, "turns", "tcp");
    add(config.turn.dtls, "turns", "udp");
    if (config.mux_takes_turn()) add(config.listen.mux, "turns", "tcp");
    return out;
}

std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port) {
    std::vector<SocketAddress> out;
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* all = nullptr;
    if (getaddrinfo(host.c_str(), nullptr, &hints, &all) != 0) return out;
    for (const addrinfo* one = all; one != nullptr; one = one->ai_next) {
        const SocketAddress address{SocketAddress::from(*one->ai_addr).ip, port};
        if (std::ranges::find(out, address) == out.end()) out.push_back(address);
    }
    freeaddrinfo(all);
    return out;
}

struct Tried {
    turn::SelfTest test;
    turn::SelfTested tested;
};

io::Task<void> try_all(io::Loop& loop, std::vector<Tried>& all) {
    for (Tried& one : all) one.tested = co_await turn::test_server(loop, one.test);
    loop.stop();
}

json to_json(const Tried& one) {
    const auto text = [](const std::optional<SocketAddress>& address) {
        return address ? json(address->to_string()) : json(nullptr);
    };
    const auto& tested = one.tested;
    json row{{"transport", name_of(one.test.transport)},
             {"server", one.test.server.to_string()},
             {"works", tested.problem.empty()},
             {"mapped", text(tested.mapped)},
             {"relay", text(tested.relayed)}};
    row["round_trip_ms"] =
        tested.round_trip ? json(std::chrono::duration<double, std::milli>(*tested.round_trip).count()) : json(nullptr);
    row["problem"] = tested.problem.empty() ? json(nullptr) : json(tested.problem);
    return row;
}

std::string tests_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{{"BY", "SERVER", "SEEN AS", "RELAY", "MS", "RESULT"}};
    for (const auto& one : answer["transports"]) {
        const json& trip = one["round_trip_ms"];
        char number[32] = "";
        if (trip.is_number()) std::snprintf(number, sizeof number, "%.1f", trip.get<double>());
        rows.push_back({text_of(one, "transport"), text_of(one, "server"), text_of(one, "mapped"),
                        text_of(one, "relay"), number, one["works"].get<bool>() ? "works" : text_of(one, "problem")});
    }
    return table_text(rows);
}

// What is given, or what the configuration has; nothing when neither, and then it has been said.
std::optional<Credential> credential_for(const Common& common, const TurnOptions& options) {
    if (!options.user.empty()) return Credential{options.user, options.password};
    const auto config = load_or_say(common);
    if (!config) return std::nullopt;
    if (config->turn.shared_secret.empty() && config->turn.shared_secret_file.empty()) {
        for (const auto& user : config->turn_users) {
            if (!user.password.value.empty()) return Credential{user.name.value, user.password.value};
        }
    }
    return time_limited(*config, "test", std::chrono::minutes(5));
}

Result<std::vector<Tried>> tests_of(const turn::Uri& uri, const Credential& credential, bool insecure) {
    const auto addresses = resolve(uri.host, uri.port);
    if (addresses.empty()) return fail("no address for " + uri.host);
    std::shared_ptr<io::TlsClient> tls;
    std::shared_ptr<io::DtlsClient> dtls;
    if (uri.secure) {
        auto over_tcp = io::TlsClient::create({.verify = !insecure});
        if (!over_tcp) return fail(over_tcp.error());
        tls = std::move(*over_tcp);
        const std::span offered = std::span(stun::alpn_protocols).subspan(uri.relays ? 0 : 1, 1);
        auto over_udp = io::DtlsClient::create({.verify = !insecure, .protocols = offered});
        if (!over_udp) return fail(over_udp.error());
        dtls = std::move(*over_udp);
    }
    std::vector<Tried> all;
    for (const turn::Transport transport : uri.transports) {
        for (const SocketAddress& address : addresses) {
            all.push_back({.test = {.server = address,
                                    .transport = transport,
                                    .relays = uri.relays,
                                    .host = uri.host,
                                    .user = credential.user,
                                    .password = credential.password,
                                    .tls = tls,
                                    .dtls = dtls},
                           .tested = {}});
        }
    }
    return all;
}

}  // namespace

Exit turn_credential(const Common& common, const TurnOptions& options) {
    const auto lifetime = config::parse_duration(options.lifetime);
    if (!lifetime) return say(Exit::usage, "--ttl " + options.lifetime + " is no time, such as 24h");
    const auto config = load_or_say(common);
    if (!config) return Exit::invalid;
    const auto made = time_limited(*config, options.user, *lifetime);
    if (!made) return Exit::invalid;
    const json answer{{"username", made->user},
                      {"password", made->password},
                      {"ttl", std::chrono::duration_cast<std::chrono::seconds>(*lifetime).count()},
                      {"uris", uris(*config, options.host)}};
    if (common.json) {
        print(admin::to_text(answer) + "\n");
        return Exit::done;
    }
    std::string text = "username  " + made->user + "\npassword  " + made->password + '\n';
    for (const auto& uri : answer["uris"]) text += "uri       " + uri.get<std::string>() + '\n';
    print(text);
    return Exit::done;
}

Exit turn_sessions(const Common& common) {
    return call_and_print(common, {.target = "/api/v1/turn/sessions"}, turn_sessions_text);
}

Exit turn_test(const Common& common, const TurnOptions& options) {
    const auto uri = turn::Uri::parse(options.uri);
    if (!uri) return say(Exit::usage, uri.error().message);
    Credential credential;
    if (uri->relays) {
        const auto found = credential_for(common, options);
        if (!found) return Exit::invalid;
        credential = *found;
    }
    auto tests = tests_of(*uri, credential, options.insecure);
    if (!tests) return say(Exit::failed, tests.error().message);
    auto loop = io::Loop::create();
    if (!loop) return say(Exit::failed, loop.error().message);
    io::Scope scope(**loop);
    scope.spawn(try_all(**loop, *tests));
    (*loop)->run();
    json rows = json::array();
    bool works = true;
    for (const Tried& one : *tests) {
        rows.push_back(to_json(one));
        works = works && one.tested.problem.empty();
    }
    const json answer{{"uri", options.uri}, {"works", works}, {"transports", std::move(rows)}};
    print(common.json ? admin::to_text(answer) + "\n" : tests_text(answer));
    return works ? Exit::done : Exit::answer_is_no;
}

}  // namespace sallyport::cli
