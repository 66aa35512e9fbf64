#include "cli/shapes.hpp"

#include "telemetry/reason.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>

namespace sallyport::cli {

namespace {

using nlohmann::json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

}  // namespace

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

// Rows of texts as a table for people: columns as wide as their widest cell.
std::string table_text(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        line.resize(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    }
    return out;
}

json to_json(const gate::Explanation& explanation, const gate::Question& question, std::string_view source) {
    const auto& reason = telemetry::text_of(explanation.reason);
    json trail = json::array();
    for (const auto& step : explanation.trail) {
        json row{{"rule", step.rule}, {"result", step.result}};
        if (step.place.line != 0) {
            row["file"] = std::filesystem::path(step.place.file).filename().string();
            row["line"] = step.place.line;
        }
        trail.push_back(std::move(row));
    }
    json out{{"source", source},
             {"subject", question.subject},
             {"client", question.client.to_string()},
             {"verdict", explanation.admitted() ? "forwarded" : "refused"},
             {"reason", reason.code},
             {"looked_for", or_null(explanation.looked_for)},
             {"service", or_null(explanation.service)},
             {"target", or_null(explanation.target)},
             {"leg", or_null(explanation.leg)},
             {"trail", std::move(trail)}};
    if (!explanation.admitted()) {
        out["cause"] = reason.cause;
        out["remedy"] = reason.remedy;
    }
    if (!explanation.nearest.empty()) out["nearest"] = explanation.nearest;
    if (!explanation.detail.empty()) out["detail"] = explanation.detail;
    return out;
}

std::string explanation_text(const json& explanation) {
    std::string out = text_of(explanation, "subject") + " from " + text_of(explanation, "client") + ": ";
    const bool admitted = text_of(explanation, "verdict") == "forwarded";
    if (admitted && text_of(explanation, "subject").starts_with("dns:")) {
        out += "is told " + text_of(explanation, "target");
        if (const auto view = text_of(explanation, "service"); !view.empty()) out += ", by the view " + view;
    } else if (admitted && text_of(explanation, "subject").starts_with("turn:")) {
        out += "may relay, " + text_of(explanation, "target") + ", by " + text_of(explanation, "service");
    } else if (admitted) {
        out += "forwarded to " + text_of(explanation, "target");
        if (const auto leg = text_of(explanation, "leg"); !leg.empty()) out += " (" + leg + ")";
        out += ", service " + text_of(explanation, "service");
    } else {
        out += "refused, " + text_of(explanation, "reason") + ": " + text_of(explanation, "cause");
        if (const auto detail = text_of(explanation, "detail"); !detail.empty()) out += " (" + detail + ")";
    }
    out += "\n";
    for (const auto& step : explanation.value("trail", json::array())) {
        out += "  " + text_of(step, "result") + "  " + text_of(step, "rule");
        if (step.contains("line"))
            out += "  [" + text_of(step, "file") + ":" + std::to_string(step["line"].get<unsigned>()) + "]";
        out += "\n";
    }
    if (const auto near = text_of(explanation, "nearest"); !near.empty()) out += "  did you mean: " + near + "\n";
    if (const auto remedy = text_of(explanation, "remedy"); !remedy.empty()) out += "what to do: " + remedy + "\n";
    out += text_of(explanation, "source") == "live" ? "(answered by the running gateway)\n"
                                                    : "(answered from the file; no gateway was asked)\n";
    return out;
}

json to_json(const gate::SessionView& view) {
    json out{{"id", view.id},
             {"client", view.client},
             {"listener", view.listener},
             {"protocol", telemetry::name(view.protocol)},
             {"tls", view.tls},
             {"state", view.state},
             {"service", or_null(view.service)},
             {"target", or_null(view.target)},
             {"age_s", std::chrono::duration<double>(view.age).count()}};
    if (view.state == "tunnel") {
        out["bytes_in"] = view.bytes_in;
        out["bytes_out"] = view.bytes_out;
    }
    return out;
}

json to_json(const gate::TargetView& view) {
    json out{{"service", view.service}, {"protocol", config::to_string(view.protocol)},
             {"target", view.target},   {"state", name(view.condition)},
             {"wish", name(view.wish)}, {"connections", view.connections}};
    out["reason"] = view.why ? json(code(*view.why)) : json(nullptr);
    out["cause"] = view.why ? json(text_of(*view.why).cause) : json(nullptr);
    out["since"] = view.since ? json(to_rfc3339(*view.since)) : json(nullptr);
    out["latency_ms"] =
        view.latency ? json(std::chrono::duration<double, std::milli>(*view.latency).count()) : json(nullptr);
    return out;
}

namespace {

std::string one_decimal(double number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f", number);
    return text.data();
}

std::string age_text(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    if (whole < 60) return one_decimal(seconds) + " s";
    if (whole < 3600) return std::to_string(whole / 60) + " min";
    if (whole < 86400) return std::to_string(whole / 3600) + " h " + std::to_string(whole / 60 % 60) + " min";
    return std::to_string(whole / 86400) + " d " + std::to_string(whole / 3600 % 24) + " h";
}

}  // namespace

std::string connections_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{
        {"ID", "CLIENT", "LISTENER", "PROTOCOL", "STATE", "AGE", "SERVICE", "TARGET", "IN", "OUT"}};
    const json connections = answer.value("connections", json::array());
    for (const auto& one : connections) {
        const bool tunnel = one.contains("bytes_in");
        rows.push_back({text_of(one, "id"), text_of(one, "client"), text_of(one, "listener"),
                        text_of(one, "protocol") + (one.value("tls", false) ? " tls" : ""), text_of(one, "state"),
                        age_text(one.value("age_s", 0.0)), text_of(one, "service"), text_of(one, "target"),
                        tunnel ? std::to_string(one.value("bytes_in", std::uint64_t{0})) : "",
                        tunnel ? std::to_string(one.value("bytes_out", std::uint64_t{0})) : ""});
    }
    const auto total = answer.value("total", std::uint64_t{0});
    const std::string sum = std::to_string(connections.size()) + " listed, " + std::to_string(total) + " open in all\n";
    return connections.empty() ? sum : table_text(rows) + sum;
}

std::string services_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{
        {"SERVICE", "PROTOCOL", "TARGET", "STATE", "CONNECTIONS", "CONNECT", "WHY"}};
    std::string last;
    for (const auto& one : answer.value("targets", json::array())) {
        const std::string service = text_of(one, "service") + ' ' + text_of(one, "protocol");
        const std::string wish = text_of(one, "wish");
        std::string why = text_of(one, "reason");
        if (!why.empty()) why += ": " + text_of(one, "cause") + ", since " + text_of(one, "since");
        rows.push_back(
            {service == last ? "" : text_of(one, "service"), service == last ? "" : text_of(one, "protocol"),
             text_of(one, "target"), text_of(one, "state") + (wish == "up" ? "" : ", " + wish),
             std::to_string(one.value("connections", 0U)),
             one.value("latency_ms", json(nullptr)).is_number() ? one_decimal(one["latency_ms"]) + " ms" : "", why});
        last = service;
    }
    return table_text(rows);
}

json to_json(const guard::Entry& entry, const io::Loop& loop) {
    const bool forever = entry.expires == guard::Entry::never;
    return {{"address", entry.address()},
            {"verdict", name(entry.verdict)},
            {"since", to_rfc3339(loop.wall_at(entry.since))},
            {"until", forever ? json(nullptr) : json(to_rfc3339(loop.wall_at(entry.expires)))},
            {"reason", entry.reason},
            {"protocol", entry.protocol ? json(telemetry::name(*entry.protocol)) : json(nullptr)},
            {"count", entry.count},
            {"node", entry.node},
            {"origin", name(entry.origin)}};
}

json to_json(const guard::Window::Suspect& suspect) {
    json signs = json::object();
    json protocols = json::object();
    for (std::size_t i = 0; i < guard::sign_names.size(); ++i) {
        if (suspect.count.signs[i] != 0) signs[std::string(guard::sign_names[i])] = suspect.count.signs[i];
    }
    for (std::size_t i = 0; i < telemetry::protocol_names.size(); ++i) {
        if (suspect.count.protocols[i] != 0)
            protocols[std::string(telemetry::protocol_names[i])] = suspect.count.protocols[i];
    }
    return {{"address", guard::Entry{.who = suspect.client.network(), .since = {}}.address()},
            {"score", static_cast<double>(suspect.count.points) / guard::points_of_one},
            {"signs", std::move(signs)},
            {"protocols", std::move(protocols)}};
}

std::string bans_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{{"ADDRESS", "VERDICT", "SINCE", "UNTIL", "ORIGIN", "NODE", "WHY"}};
    for (const char* list : {"allows", "bans"}) {
        for (const auto& one : answer.value(list, json::array())) {
            const std::string until = text_of(one, "until");
            rows.push_back({text_of(one, "address"), text_of(one, "verdict"), text_of(one, "since"),
                            until.empty() ? "for ever" : until, text_of(one, "origin"), text_of(one, "node"),
                            text_of(one, "reason")});
        }
    }
    const std::string sum = std::to_string(answer.value("total", std::uint64_t{0})) + " banned\n";
    return rows.size() == 1 ? sum : table_text(rows) + sum;
}

std::string suspects_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{{"ADDRESS", "SCORE", "SIGNS", "PROTOCOLS"}};
    const auto counts = [](const json& object) {
        std::string out;
        for (const auto& [what, count] : object.items())
            out += (out.empty() ? "" : ", ") + what + " " + std::to_string(count.get<std::uint64_t>());
        return out;
    };
    for (const auto& one : answer.value("suspects", json::array()))
        rows.push_back({text_of(one, "address"), one_decimal(one.value("score", 0.0)),
                        counts(one.value("signs", json::object())), counts(one.value("protocols", json::object()))});
    const std::string limit = "more than " + std::to_string(answer.value("threshold", 0U)) + " within a minute bans\n";
    return rows.size() == 1 ? "nobody is suspicious at present; " + limit : table_text(rows) + limit;
}

json problems_json(std::span<const config::Problem> problems) {
    json out = json::array();
    for (const auto& problem : problems) {
        out.push_back({{"file", problem.file},
                       {"line", problem.line},
                       {"column", problem.column},
                       {"message", problem.message},
                       {"hint", problem.hint}});
    }
    return out;
}

std::string status_text(const json& status) {
    std::string out = text_of(status, "node") + ": " + text_of(status, "state") + ", sallyport " +
                      text_of(status, "version") + ", up " + std::to_string(status.value("uptime_s", std::int64_t{0})) +
                      " s, pid " + std::to_string(status.value("pid", 0)) + ", user " + text_of(status, "user") + "\n";
    out += "configuration: " + text_of(status, "config") + ", " + std::to_string(status.value("services", 0)) +
           " services";
    const json reload = status.value("last_reload", json(nullptr));
    if (reload.is_object()) out += "; last reload " + text_of(reload, "time") + ": " + text_of(reload, "result");
    out += "\nconnections: " + std::to_string(status.value("connections", std::uint64_t{0})) + " open\n";
    const json guard = status.value("guard", json::object());
    out += "guard: " + std::to_string(guard.value("bans", std::uint64_t{0})) + " banned, " +
           std::to_string(guard.value("allows", std::uint64_t{0})) + " allowed, " +
           std::to_string(guard.value("suspects", std::uint64_t{0})) + " suspicious";
    const json shared = guard.value("shared", json(nullptr));
    if (shared.is_boolean()) out += shared.get<bool>() ? "; shared" : "; NOT shared at present: see the log";
    const json kernel = guard.value("kernel", json(nullptr));
    if (kernel.is_boolean())
        out += kernel.get<bool>() ? "; in the kernel too" : "; NOT in the kernel at present: see the log";
    out += "\n";
    if (const json firewall = status.value("firewall", json(nullptr)); firewall.is_object()) {
        const json loaded = firewall.value("loaded", json(nullptr));
        out += "firewall: ";
        if (!loaded.is_boolean())
            out += "NOT watched, for want of CAP_NET_ADMIN at the start; see: sallyport firewall diff\n";
        else
            out += loaded.get<bool>() ? "loaded\n" : "NOT loaded; see: sallyport firewall boot, or apply\n";
    }
    if (const json names = status.value("dns", json(nullptr)); names.is_object()) {
        out += "names: " + std::to_string(names.value("cached", std::uint64_t{0})) + " answers cached\n";
        for (const auto& upstream : names.value("upstreams", json::array())) {
            if (!upstream.value("up", true))
                out += "warning: the name server " + text_of(upstream, "name") + " does not answer\n";
        }
    }
    for (const auto& listener : status.value("listeners", json::array())) {
        out += "listener: " + text_of(listener, "address") + "  " + text_of(listener, "owner") + "\n";
    }
    for (const auto& certificate : status.value("certificates", json::array())) {
        out += "certificate: " + text_of(certificate, "name") + ", until " + text_of(certificate, "not_after") + "\n";
    }
    for (const auto& host : status.value("unresolved", json::array())) {
        out += "warning: the target name " + host.get<std::string>() + " has no address\n";
    }
    return out;
}

}  // namespace sallyport::cli
