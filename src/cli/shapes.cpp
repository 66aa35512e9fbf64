#include "cli/shapes.hpp"

#include "telemetry/reason.hpp"

#include <filesystem>

namespace sallyport::cli {

namespace {

using nlohmann::json;

json or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

std::string text_of(const json& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

}  // namespace

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
    if (text_of(explanation, "verdict") == "forwarded") {
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
