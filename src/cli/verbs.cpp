#include "cli/verbs.hpp"

#include "admin/http_client.hpp"
#include "admin/message.hpp"
#include "certs/judge.hpp"
#include "certs/load.hpp"
#include "cli/call.hpp"
#include "cli/dns_settings.hpp"
#include "cli/editor_schema.hpp"
#include "cli/firewall.hpp"
#include "cli/generation.hpp"
#include "cli/push_settings.hpp"
#include "cli/shapes.hpp"
#include "cli/subjects.hpp"
#include "cli/turn_explain.hpp"
#include "cli/turn_settings.hpp"
#include "config/reference.hpp"
#include "gate/explain.hpp"
#include "gate/targets/state.hpp"
#include "telemetry/reason.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <optional>
#include <sstream>

namespace sallyport::cli {

namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr Duration answer_within = 30s;  // a reload may resolve names and read many certificates

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }
void complain(const std::string& text) { std::fprintf(stderr, "sallyport: %s\n", text.c_str()); }

config::Loaded load_for(const Common& common) {
    const auto presets = preset_names();
    return config::load(common.config_file, presets);
}

// The socket of the gateway that this configuration is for. An error anywhere in the file hides it: then the default
// one.
std::string socket_of(const config::Loaded& loaded) {
    return (loaded.config ? loaded.config->admin.socket.value : config::Admin{}.socket.value).string();
}

// Nobody answers at the default place, and where else to ask can't be known from this file.
Exit unreadable(const config::Loaded& loaded, bool as_json) {
    if (as_json) print(admin::to_text({{"errors", problems_json(loaded.errors)}}) + "\n");
    for (const auto& error : loaded.errors) std::fputs(to_text(error, "error").c_str(), stderr);
    return Exit::invalid;
}

Exit exit_of(const admin::CallError& error) {
    complain(error.message);
    switch (error.failure) {
        case admin::CallFailure::unreachable: return Exit::unreachable;
        case admin::CallFailure::not_permitted: return Exit::not_permitted;
        case admin::CallFailure::broken: return Exit::failed;
    }
    return Exit::failed;
}

// What the gateway says against it: the problem's sentence, and the configuration's errors where it has some.
Exit refused(const admin::ClientResponse& response, bool as_json) {
    const json problem = json::parse(response.body, nullptr, false);
    if (as_json) print(response.body + "\n");
    if (!problem.is_object()) {
        complain("the gateway answered with status " + std::to_string(response.status));
        return Exit::failed;
    }
    complain(problem.value("detail", problem.value("title", "the gateway refused")));
    for (const auto& error : problem.value("errors", json::array())) {
        const config::Problem row{.file = error.value("file", ""),
                                  .line = error.value("line", 0U),
                                  .column = error.value("column", 0U),
                                  .message = error.value("message", ""),
                                  .hint = error.value("hint", ""),
                                  .source_line = {}};
        std::fputs(to_text(row, "error").c_str(), stderr);
    }
    return response.status == 422 ? Exit::invalid : Exit::failed;
}

Exit print_explanation(const json& explanation, bool as_json) {
    print(as_json ? admin::to_text(explanation) + "\n" : explanation_text(explanation));
    return explanation.value("verdict", "") == "forwarded" ? Exit::done : Exit::answer_is_no;
}

// No gateway runs: the file answers.
Exit explain_from_file(const Common& common, config::Loaded loaded, gate::Question question,
                       const std::string& certificate) {
    if (!loaded.config) return unreadable(loaded, common.json);
    if (!certificate.empty()) {
        std::vector<std::filesystem::path> files;
        for (const auto& ca : loaded.config->trust.ca) files.push_back(ca.value);
        const auto now = std::chrono::system_clock::now();
        auto trusted = files.empty() ? std::vector<std::string>{} : certs::load_ca_pems(files, now);
        const auto judged =
            trusted ? certs::judge_client(certificate, *trusted, now) : std::unexpected(trusted.error());
        if (!judged) return complain("--certificate: " + judged.error().message), Exit::invalid;
        question.certificate = judged->verdict;
        question.certificate_names = judged->names;
    }
    if (dns_subject.holds(question.subject)) {
        const push::Policy push = push_policy(*loaded.config);
        const auto explained =
            explain_dns(loaded.config->dns, dns::Zones(*loaded.config, 0), &push, question.subject, question.client);
        if (!explained) return complain(explained.error().message), Exit::usage;
        return print_explanation(to_json(explained->explanation, question, "file"), common.json);
    }
    if (turn_subject.holds(question.subject)) {
        const auto settings =
            turn_settings(*loaded.config, [](const config::Place&, const std::string& what) { complain(what); });
        const auto explained =
            explain_turn(*loaded.config, *settings, question.subject, std::chrono::system_clock::now());
        if (!explained) return complain(explained.error().message), Exit::usage;
        return print_explanation(to_json(*explained, question, "file"), common.json);
    }
    gate::StateBook states;  // nothing is known of the targets
    const gate::Snapshot snapshot(std::move(*loaded.config), states);
    const auto explanation = explain_by_gate(snapshot, question);
    if (!explanation) return complain(explanation.error().message), Exit::usage;
    return print_explanation(to_json(*explanation, question, "file"), common.json);
}

std::optional<std::string> read_text(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return std::nullopt;
    return text.str();
}

}  // namespace

Exit call_and_print(const Common& common, const admin::ClientRequest& request,
                    const std::function<std::string(const json&)>& text) {
    const auto loaded = load_for(common);
    const auto response = admin::call(socket_of(loaded), request, answer_within);
    if (!response && !loaded.config && response.error().failure == admin::CallFailure::unreachable) {
        return unreadable(loaded, common.json);
    }
    if (!response) return exit_of(response.error());
    if (response->status >= 300) return refused(*response, common.json);
    const json answer = json::parse(response->body, nullptr, false);
    print(common.json ? response->body + "\n" : text(answer));
    return Exit::done;
}

Exit explain(const Common& common, const ExplainOptions& options) {
    if (packet_subject.holds(options.subject)) return explain_packet(common, options.subject);
    const auto client = IpAddress::parse(options.client);
    if (!client) return complain("--client takes an IP address, not '" + options.client + "'"), Exit::usage;
    std::string certificate;
    if (!options.certificate.empty()) {
        const auto text = read_text(options.certificate);
        if (!text) return complain("can't read the certificate " + options.certificate.string()), Exit::invalid;
        certificate = *text;
    }
    auto loaded = load_for(common);
    json body{{"subject", options.subject}, {"client", options.client}, {"tls", options.tls}, {"ask", options.ask}};
    if (!certificate.empty()) body["certificate"] = certificate;
    const auto response =
        admin::call(socket_of(loaded), {.method = "POST", .target = "/api/v1/explain", .body = admin::to_text(body)},
                    answer_within);
    if (response && response->status == 200)
        return print_explanation(json::parse(response->body, nullptr, false), common.json);
    if (response) return refused(*response, common.json) == Exit::invalid ? Exit::invalid : Exit::usage;
    if (response.error().failure != admin::CallFailure::unreachable) return exit_of(response.error());
    return explain_from_file(common, std::move(loaded),
                             {.subject = options.subject, .client = *client, .tls = options.tls}, certificate);
}

Exit reload(const Common& common) {
    return call_and_print(common, {.method = "POST", .target = "/api/v1/reload"}, [](const json& answer) {
        std::string out =
            "reloaded: " + std::to_string(answer.value("services", 0)) + " services; no connection was cut\n";
        for (const auto& warning : answer.value("warnings", json::array())) {
            out += "warning: " + warning.value("message", "") + "\n";
        }
        return out;
    });
}

Exit status(const Common& common) { return call_and_print(common, {.target = "/api/v1/status"}, status_text); }

Exit drain(const Common& common) {
    return call_and_print(common, {.method = "POST", .target = "/api/v1/drain"}, [](const json&) {
        return std::string("draining: nothing new is taken; the gateway stops when all is done\n");
    });
}

Exit connections(const Common& common, const ConnectionsOptions& options) {
    std::vector<std::pair<std::string_view, std::string_view>> query;
    if (!options.service.empty()) query.emplace_back("service", options.service);
    return call_and_print(common, {.target = admin::with_query("/api/v1/connections", query)}, connections_text);
}

Exit kill_connections(const Common& common, const ConnectionsOptions& options) {
    if (options.id.empty() == options.service.empty())
        return complain("which one? connections kill ID, or connections kill --service NAME"), Exit::usage;
    const json body = options.id.empty() ? json{{"service", options.service}} : json{{"id", options.id}};
    return call_and_print(common,
                          {.method = "POST", .target = "/api/v1/connections/kill", .body = admin::to_text(body)},
                          [](const json& answer) { return std::to_string(answer.value("killed", 0U)) + " ended\n"; });
}

Exit services(const Common& common) { return call_and_print(common, {.target = "/api/v1/services"}, services_text); }

Exit set_state(const Common& common, const StateOptions& options, const std::string& state) {
    json body{{"service", options.service}, {"state", state}};
    if (!options.protocol.empty()) body["protocol"] = options.protocol;
    if (!options.target.empty()) body["target"] = options.target;
    return call_and_print(common, {.method = "POST", .target = "/api/v1/services/state", .body = admin::to_text(body)},
                          [&state](const json& answer) {
                              const auto changed = answer.value("changed", 0U);
                              return std::to_string(changed) + (changed == 1 ? " target: " : " targets: ") + state +
                                     "\n";
                          });
}

Exit bans(const Common& common) { return call_and_print(common, {.target = "/api/v1/bans"}, bans_text); }

Exit suspects(const Common& common) { return call_and_print(common, {.target = "/api/v1/bans/top"}, suspects_text); }

Exit set_ban(const Common& common, const BanOptions& options, const std::string& verdict) {
    json body{{"address", options.address}, {"verdict", verdict}};
    if (!options.lasts.empty()) body["for"] = options.lasts;
    if (!options.reason.empty()) body["reason"] = options.reason;
    return call_and_print(common, {.method = "POST", .target = "/api/v1/bans", .body = admin::to_text(body)},
                          [](const json& entry) {
                              const bool ban = entry.value("verdict", "") == "ban";
                              const json until = entry.value("until", json(nullptr));
                              return entry.value("address", "") + (ban ? " is banned " : " is never banned ") +
                                     (until.is_string() ? "until " + until.get<std::string>() : "for ever") + "\n";
                          });
}

Exit remove_ban(const Common& common, const BanOptions& options) {
    return call_and_print(
        common,
        {.method = "POST", .target = "/api/v1/bans/remove", .body = admin::to_text({{"address", options.address}})},
        [&options](const json&) { return options.address + " has no entry any more\n"; });
}

Exit reference(const std::string& what) {
    if (what == "editor-schema")
        print(editor_schema().dump(2) + "\n");
    else
        print(what == "reasons" ? telemetry::reasons_page() : config::reference_markdown());
    return Exit::done;
}

}  // namespace sallyport::cli
