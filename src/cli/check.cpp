// `sallyport check`: everything that a start would find out, without starting.
#include "cli/generation.hpp"
#include "cli/privileges.hpp"
#include "cli/shapes.hpp"
#include "cli/verbs.hpp"

#include "admin/http_client.hpp"
#include "admin/message.hpp"
#include "firewall/programs.hpp"
#include "listeners/listeners.hpp"
#include "listeners/udp_listeners.hpp"
#include "net/names.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <set>

namespace sallyport::cli {

namespace {

using nlohmann::json;

// Of the running gateway with this admin socket; empty when there is none.
json status_of_running(const std::string& socket) {
    const auto response = admin::call(socket, {.target = "/api/v1/status"}, std::chrono::seconds(3));
    if (!response || response->status != 200) return json::object();
    return json::parse(response->body, nullptr, false);
}

// Those ports are taken by itself.
std::set<std::string> held_by_running(const std::string& socket) {
    std::set<std::string> held;
    const json status = status_of_running(socket);
    for (const auto& listener : status.value("listeners", json::array())) {
        const bool is_udp = listener.value("transport", "") == "udp";
        held.insert((is_udp ? "udp " : "") + listener.value("address", ""));
    }
    return held;
}

bool rules_kernel_now(const std::string& socket) {
    return status_of_running(socket).value("guard", json::object()).value("kernel", json(nullptr)) == true;
}

void try_ports(const config::Loaded& loaded, const config::Config& config, Built& built) {
    const auto held = held_by_running(config.admin.socket.value.string());
    const auto attempt = [&](const config::Located<config::ListenAddress>& listen) {
        if (held.contains(listen.value.to_string())) return;
        const auto bound = listeners::probe(listen.value);
        if (!bound) built.errors.push_back(loaded.problem(listen.place, {bound.error().message}));
    };
    for (const auto& kind : config::listen_kinds) {
        for (const auto& listen : config.listen.*kind.addresses) attempt(listen);
    }
    for (const auto& listen : config.turn.tcp) attempt(listen);
    for (const auto& listen : config.turn.tls) attempt(listen);
    for (const auto& listen : config.dns.listen) attempt(listen);
    for (const auto& listen : config.admin.listen) attempt(listen);
    for (const auto* addresses : {&config.turn.udp, &config.turn.dtls, &config.stun.listen, &config.dns.listen}) {
        for (const auto& listen : *addresses) {
            if (held.contains("udp " + listen.value.to_string())) continue;
            const auto bound = listeners::probe_udp(listen.value);
            if (!bound) built.errors.push_back(loaded.problem(listen.place, {bound.error().message}));
        }
    }
}

void try_names(const config::Loaded& loaded, const config::Config& config, Built& built) {
    for (const auto& service : config.services) {
        for (const auto& target : service.targets) {
            if (target.value.kind != config::Target::Kind::host) continue;
            const auto addresses = net::resolve_by_system(target.value.text);
            if (!addresses)
                built.warnings.push_back(loaded.problem(
                    target.place, {addresses.error().message, "the service answers 502 until it resolves"}));
        }
    }
}

// Files are read after privileges are dropped, so what counts is what that user may read, with no group but its own.
// Asked in a child process, because becoming a user is for good.
bool readable_as(const passwd& user, const std::filesystem::path& file) {
    const pid_t child = fork();
    if (child == 0) {
        const bool became = setgroups(0, nullptr) == 0 && setgid(user.pw_gid) == 0 && setuid(user.pw_uid) == 0;
        _exit(became && access(file.c_str(), R_OK) == 0 ? 0 : 1);
    }
    int status = 1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void try_files(const config::Loaded& loaded, const config::Config& config, Built& built) {
    const passwd* user = geteuid() == 0 ? getpwnam(config.node.user.value.c_str()) : nullptr;
    if (user == nullptr || user->pw_uid == 0) return;
    const auto attempt = [&](const config::Located<std::filesystem::path>& file) {
        if (!file.value.empty() && access(file.value.c_str(), R_OK) == 0 && !readable_as(*user, file.value)) {
            built.errors.push_back(loaded.problem(
                file.place, {"the user " + config.node.user.value + " can't read " + file.value.string(),
                             "files are read after privileges are dropped; chgrp it and its folders to that user"}));
        }
    };
    for (const auto& certificate : config.certificates) {
        attempt(certificate.chain);
        attempt(certificate.key);
    }
    for (const auto& ca : config.trust.ca) attempt(ca);
    for (const auto& service : config.services) attempt(service.target_ca);
    attempt(config.dns.upstream_ca);
    attempt(config.egress.radius_secret_file);
    for (const auto& file : config.turn.shared_secret_file) attempt(file);
    for (const auto& account : config.turn_users) attempt(account.password_file);
}

// A gateway that runs with it has shown that it can; an ordinary user who asks could not.
void try_kernel(const config::Loaded& loaded, const config::Config& config, Built& built) {
    const auto& asked_of = config.stun.kernel_nat;
    if (!asked_of.empty() && !may_rule_kernel() && status_of_running(config.admin.socket.value.string()).empty())
        built.warnings.push_back(loaded.problem(asked_of.front().place, {std::string(may_not_ask_kernel)}));
    const auto& enforce = config.guard.enforce;
    if (enforce.value != config::Enforce::nftables) return;
    if (const auto nft = firewall::find_nft(); !nft)
        built.errors.push_back(loaded.problem(enforce.place, {nft.error().message}));
    else if (!may_rule_kernel() && !rules_kernel_now(config.admin.socket.value.string()))
        built.errors.push_back(loaded.problem(enforce.place, {std::string(lacks_net_admin)}));
}

}  // namespace

Exit check(const Common& common) {
    const auto presets = preset_names();
    const config::Loaded loaded = config::load(common.config_file, presets);
    const BuildOptions options{.loops = 1,
                               .ticket_keys = io::TicketKeys::random(),
                               .release = {},
                               .now = std::chrono::system_clock::now(),
                               .dry = true};
    Built built = build_generation(loaded, options);
    if (loaded.config) {
        try_ports(loaded, *loaded.config, built);
        try_files(loaded, *loaded.config, built);
        try_kernel(loaded, *loaded.config, built);
        try_names(loaded, *loaded.config, built);
    }
    if (common.json) {
        const json out{{"errors", problems_json(built.errors)}, {"warnings", problems_json(built.warnings)}};
        std::puts(admin::to_text(out).c_str());
    } else {
        for (const auto& warning : built.warnings) std::fputs(to_text(warning, "warning").c_str(), stderr);
        for (const auto& error : built.errors) std::fputs(to_text(error, "error").c_str(), stderr);
        if (built.errors.empty())
            std::printf("%s: no errors, %zu warning%s\n", common.config_file.c_str(), built.warnings.size(),
                        built.warnings.size() == 1 ? "" : "s");
    }
    return built.errors.empty() ? Exit::done : Exit::invalid;
}

}  // namespace sallyport::cli
