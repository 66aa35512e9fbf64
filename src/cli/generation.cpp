#include "cli/generation.hpp"

#include "base/text.hpp"
#include "certs/load.hpp"
#include "certs/self_signed.hpp"
#include "cli/push_settings.hpp"
#include "cli/turn_settings.hpp"
#include "gate/handshake.hpp"
#include "gate/http/url_rules.hpp"
#include "wire/stun/framing.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

namespace sallyport::cli {

namespace {

using config::Config;
using config::Problem;

struct Builder {
    const config::Loaded& loaded;
    const BuildOptions& options;
    Built built = {};
    std::map<std::filesystem::path, std::vector<std::string>> read_pems = {};

    void error(const config::Place& place, std::string message, std::string hint = {}) {
        built.errors.push_back(loaded.problem(place, {std::move(message), std::move(hint)}));
    }
    void warning(const config::Place& place, std::string message, std::string hint = {}) {
        built.warnings.push_back(loaded.problem(place, {std::move(message), std::move(hint)}));
    }

    bool serves_tls(const Config& config) const {
        for (const auto& dialect : gate::dialects()) {
            if (!(config.listen.*dialect.tls).empty()) return true;
            if (dialect.starts_tls && !(config.listen.*dialect.plain).empty()) return true;
        }
        return !config.listen.mux.empty() || !config.admin.listen.empty() || !config.turn.tls.empty() ||
               !config.turn.dtls.empty();
    }

    std::vector<crypto::Credential> credentials(const Config& config) {
        std::vector<crypto::Credential> out;
        for (const auto& certificate : config.certificates) {
            auto loaded_one = certs::load(certificate.chain.value, certificate.key.value, options.now);
            if (!loaded_one) {
                error(certificate.chain.place, loaded_one.error().message);
                continue;
            }
            loaded_one->name = certificate.name.value;
            out.push_back(std::move(*loaded_one));
        }
        if (out.empty() && config.certificates.empty() && serves_tls(config)) {
            const std::vector<IpAddress> ips{IpAddress::v4(0x7F000001)};
            auto own = options.dry
                           ? certs::self_signed(own_names(config), ips, 1, options.now)
                           : certs::load_or_create(config.node.state_dir.value, own_names(config), ips, options.now);
            if (own) {
                own->name = "self-signed";
                out.push_back(std::move(*own));
            } else {
                error(config.node.state_dir.place, own.error().message);
            }
        }
        return out;
    }

    // What the self-signed certificate is for: every name that is served, and this machine's own.
    static std::vector<std::string> own_names(const Config& config) {
        std::set<std::string> names{"localhost"};
        for (const auto& service : config.services) {
            if (service.protocol != config::Protocol::http) continue;
            for (const auto& name : service.names) {
                if (!name.value.empty() && name.value.front() != '[') names.insert(name.value);
            }
        }
        return {names.begin(), names.end()};
    }

    void check_coverage(const Config& config, const std::vector<crypto::Credential>& credentials) {
        for (const auto& service : config.services) {
            if (service.protocol != config::Protocol::http || config.listen.https.empty() ||
                config.certificates.empty())
                continue;
            for (const auto& name : service.names) {
                const bool covered = std::ranges::any_of(
                    credentials, [&](const crypto::Credential& one) { return certs::covers(one, name.value); });
                if (!covered) {
                    warning(name.place, "no certificate covers the service name " + config::quote(name.value),
                            "browsers will warn their users; add the name to a certificate, or a wildcard");
                }
            }
        }
    }

    // Many services may name one file, and each loop has contexts of its own: it is read once.
    std::vector<std::string> pems(const std::filesystem::path& file, const config::Place& place) {
        if (const auto known = read_pems.find(file); known != read_pems.end()) return known->second;
        auto loaded_pems = certs::load_ca_pems({file}, options.now);
        if (loaded_pems) return read_pems.emplace(file, std::move(*loaded_pems)).first->second;
        error(place, loaded_pems.error().message);
        return {};
    }

    // The first line of a file, without the blanks around it.
    std::string secret(const config::Located<config::Path>& file) {
        std::ifstream in(file.value);
        std::string line;
        if (!std::getline(in, line) || trim(line).empty()) {
            error(file.place, "can't read a secret from " + file.value.string());
            return {};
        }
        return std::string(trim(line));
    }

    std::shared_ptr<const io::TlsClient> tls_client(const config::Service& service, const Generation& generation) {
        using Kind = config::HealthCheck::Kind;
        const Kind health = service.health.kind;
        // Passed on unopened, only a check shakes hands.
        const bool opened = service.protocol != config::Protocol::tls || health == Kind::tls || health == Kind::http;
        if (!service.tls_port || !opened) return nullptr;
        io::TlsClient::Options tls{.verify = service.target_verify};
        if (!service.target_ca.value.empty()) tls.ca_pems = pems(service.target_ca.value, service.target_ca.place);
        const auto shown =
            std::ranges::find(generation.credentials, service.target_certificate.value, &crypto::Credential::name);
        if (!service.target_certificate.value.empty() && shown != generation.credentials.end()) tls.credential = *shown;
        auto client = io::TlsClient::create(std::move(tls));
        if (client) return *client;
        error(service.place, client.error().message);
        return nullptr;
    }

    std::shared_ptr<const io::TlsServer> tls_server(const std::vector<crypto::Credential>& credentials,
                                                    io::TlsServer::Options tls) {
        if (credentials.empty()) return nullptr;
        tls.ticket_keys = options.ticket_keys;
        auto server = io::TlsServer::create(credentials, std::move(tls));
        if (server) return *server;
        error({}, server.error().message);
        return nullptr;
    }

    std::shared_ptr<const io::TlsServer> clients_tls_server(const Generation& generation) {
        return tls_server(
            generation.credentials,
            {.trusted_ca_pems = generation.trusted_pems,
             // Sessions hold on to their context for days; the configuration must not stay with them.
             .asks_for_certificate =
                 [routing = std::weak_ptr(generation.routing)](const io::ClientSaid& client) {
                     const auto present = routing.lock();
                     return present != nullptr && gate::asks_for_certificate(*present, client);
                 },
             .protocols = [mux_takes_turn = generation.routing->config().mux_takes_turn()](
                              int port_kind) { return gate::agreed_protocols(mux_takes_turn, port_kind); }});
    }

    std::shared_ptr<const io::TlsServer> turn_tls_server(const Generation& generation) {
        return tls_server(generation.credentials, {.protocols = [](int) { return std::span(stun::alpn_protocols); }});
    }

    std::shared_ptr<io::DtlsServer> turn_dtls_server(const Generation& generation) {
        if (generation.routing->config().turn.dtls.empty() || generation.credentials.empty()) return nullptr;
        auto server = io::DtlsServer::create(generation.credentials, {.protocols = stun::alpn_protocols});
        if (server) return *server;
        error({}, server.error().message);
        return nullptr;
    }

    /// @param server  null for the control loop, which dials targets and takes no clients
    gate::SnapshotHandle for_one_loop(const Generation& generation, std::shared_ptr<const io::TlsServer> server) {
        auto snapshot = std::make_unique<gate::LoopSnapshot>();
        snapshot->routing = generation.routing;
        snapshot->tls_server = std::move(server);
        for (const auto& service : generation.routing->services())
            snapshot->tls_clients.push_back(tls_client(*service.settings, generation));
        // The last one to let go of it is a data loop; freeing is done elsewhere.
        auto release = options.release;
        return {snapshot.release(), [release](const gate::LoopSnapshot* last) {
                    gate::SnapshotHandle owned(last);
                    if (release) release(std::move(owned));
                }};
    }

    // For name servers that are asked by TLS; null where there are none.
    std::shared_ptr<const io::TlsClient> upstream_tls(const dns::Zones& zones) {
        const auto by_tls = [](const dns::UpstreamGroup& group) {
            return std::ranges::any_of(group.servers, &config::DnsUpstream::tls);
        };
        if (std::ranges::none_of(zones.groups(), by_tls)) return nullptr;
        const auto& ca = zones.settings().upstream_ca;
        io::TlsClient::Options tls;
        if (!ca.value.empty()) tls.ca_pems = pems(ca.value, ca.place);
        auto client = io::TlsClient::create(std::move(tls));
        if (client) return *client;
        error(ca.place, client.error().message);
        return nullptr;
    }

    void build(Config config) {
        auto generation = std::make_shared<Generation>();
        generation->source = loaded;
        generation->credentials = credentials(config);
        check_coverage(config, generation->credentials);
        for (const auto& ca : config.trust.ca) {
            for (auto& pem : pems(ca.value, ca.place)) generation->trusted_pems.push_back(std::move(pem));
        }
        for (const auto& certificate : config.certificates) {
            generation->watched_files.push_back(certificate.chain.value);
            generation->watched_files.push_back(certificate.key.value);
        }
        for (const auto& ca : config.trust.ca) generation->watched_files.push_back(ca.value);
        for (const auto& service : config.services) {
            if (!service.target_ca.value.empty()) generation->watched_files.push_back(service.target_ca.value);
        }
        if (!config.dns.upstream_ca.value.empty()) generation->watched_files.push_back(config.dns.upstream_ca.value);
        const config::Egress& egress = config.egress;
        generation->radius_secret =
            egress.radius_secret_file.value.empty() ? egress.radius_secret.value : secret(egress.radius_secret_file);
        if (config.push.serves()) generation->push = std::make_shared<const push::Policy>(push_policy(config));
        std::set<std::string> hosts;
        for (const auto& service : config.services) {
            for (const auto& target : service.targets) {
                if (target.value.kind == config::Target::Kind::host) hosts.insert(target.value.text);
            }
        }
        generation->hosts.assign(hosts.begin(), hosts.end());
        generation->turn = turn_settings(
            config, [this](const config::Place& place, std::string what) { error(place, std::move(what)); });
        if (!built.errors.empty()) return;
        const auto zones = std::make_shared<const dns::Zones>(config, options.dns_seed);
        gate::StateBook own_states;
        gate::StateBook& states = options.states == nullptr ? own_states : *options.states;
        generation->routing = std::make_shared<const gate::Snapshot>(std::move(config), states);
        generation->admin_tls = tls_server(generation->credentials, {});
        generation->control = for_one_loop(*generation, nullptr);
        if (!built.errors.empty()) return;  // the other loops would find the same
        for (std::size_t i = 0; i < options.loops; ++i) {
            generation->loops.push_back(for_one_loop(*generation, clients_tls_server(*generation)));
            generation->turn_tls.push_back(turn_tls_server(*generation));
            generation->turn_dtls.push_back(turn_dtls_server(*generation));
            generation->zones.push_back({zones, upstream_tls(*zones)});
        }
        if (built.errors.empty()) built.generation = std::move(generation);
    }
};

}  // namespace

std::vector<std::string_view> preset_names() {
    std::vector<std::string_view> names;
    for (const auto& preset : gate::http::presets()) names.push_back(preset.name);
    return names;
}

Built build_generation(const std::filesystem::path& file, const BuildOptions& options) {
    const auto names = preset_names();
    return build_generation(config::load(file, names), options);
}

Built build_generation(const config::Loaded& loaded, const BuildOptions& options) {
    Builder builder{.loaded = loaded, .options = options};
    builder.built.errors = loaded.errors;
    builder.built.warnings = loaded.warnings;
    if (loaded.config) builder.build(*loaded.config);
    return std::move(builder.built);
}

}  // namespace sallyport::cli
