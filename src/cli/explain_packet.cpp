#include "cli/firewall.hpp"

#include "admin/message.hpp"
#include "cli/generation.hpp"
#include "cli/shapes.hpp"
#include "cli/subjects.hpp"
#include "config/load.hpp"
#include "firewall/evaluate.hpp"
#include "firewall/session.hpp"
#include "io/sockets.hpp"
#include "telemetry/reason.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace sallyport::cli {

namespace {

using nlohmann::json;

struct Question {
    firewall::Transport transport;
    IpAddress from;
    SocketAddress to;
};

IpAddress without_brackets(std::string_view text, bool& good) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    const auto ip = IpAddress::parse(text);
    good = ip.has_value();
    return ip.value_or(IpAddress{});
}

// "fw:tcp:203.0.113.5->198.51.100.1:1935", IPv6 as "fw:udp:2001:db8::5->[2001:db8::1]:53".
std::optional<Question> parse(std::string_view subject) {
    subject = packet_subject.rest_of(subject);
    const auto colon = subject.find(':');
    const auto arrow = subject.find("->");
    if (colon == std::string_view::npos || arrow == std::string_view::npos || arrow < colon) return std::nullopt;
    const auto& words = config::words_of<firewall::Transport>;
    const auto word = std::ranges::find(words, subject.substr(0, colon));
    const auto to = SocketAddress::parse(subject.substr(arrow + 2));
    bool good = false;
    const auto from = without_brackets(subject.substr(colon + 1, arrow - colon - 1), good);
    if (word == words.end() || !to || to->port == 0 || !good || from.is_v4() != to->ip.is_v4()) return std::nullopt;
    return Question{static_cast<firewall::Transport>(word - words.begin()), from, *to};
}

bool is_own(const IpAddress& address, const config::Config& config) {
    for (const auto& nat : config.node.nat_map) {
        if (nat.value.outside == address || nat.value.own == address) return true;
    }
    const auto own = io::own_addresses();
    return std::ranges::find(own, address) != own.end();
}

// What an outer NAT sends here comes with the address that it maps to.
IpAddress as_it_arrives(const IpAddress& to, const config::Config& config) {
    for (const auto& nat : config.node.nat_map) {
        if (nat.value.outside == to) return nat.value.own;
    }
    return to;
}

json to_json(const firewall::Verdict& verdict, const std::string& subject, const Question& question) {
    const auto reason = verdict.admitted ? telemetry::Reason::ok : telemetry::Reason::firewall_closed;
    json trail = json::array();
    for (const auto& step : verdict.trail) {
        json one{{"rule", step.rule}, {"result", step.result}};
        if (step.place.line != 0) {
            one["file"] = step.place.file;
            one["line"] = step.place.line;
        }
        trail.push_back(std::move(one));
    }
    return {{"source", "file"},
            {"subject", subject},
            {"client", question.from.to_string()},
            {"verdict", verdict.admitted ? "forwarded" : "refused"},
            {"reason", telemetry::code(reason)},
            {"answer", verdict.answer},
            {"service", verdict.rule == nullptr ? json(nullptr) : json(verdict.rule->id)},
            {"why", verdict.rule == nullptr ? "" : verdict.rule->reason},
            {"target", verdict.forward == nullptr ? json(nullptr) : json(verdict.forward->to.to_string())},
            {"leg", nullptr},
            {"remedy", telemetry::text_of(reason).remedy},
            {"trail", std::move(trail)}};
}

std::string to_text(const json& explanation) {
    std::string out = explanation.value("subject", "") + ": " + explanation.value("answer", "");
    if (const auto why = explanation.value("why", ""); !why.empty()) out += " (" + why + ")";
    out += '\n';
    for (const auto& step : explanation["trail"]) {
        out += "  " + step.value("rule", "") + ": " + step.value("result", "");
        if (step.contains("line"))
            out += "  [" + step.value("file", "") + ':' + std::to_string(step.value("line", 0U)) + ']';
        out += '\n';
    }
    if (const auto remedy = explanation.value("remedy", ""); !remedy.empty()) out += "what to do: " + remedy + '\n';
    return out + "(answered from the file; what other tables of the kernel do, sallyport firewall check tells)\n";
}

}  // namespace

Exit explain_packet(const Common& common, const std::string& subject) {
    const auto question = parse(subject);
    if (!question) {
        std::fprintf(stderr,
                     "sallyport: '%s' is no packet: write 'fw:tcp:203.0.113.5->198.51.100.1:1935', in quotes, for a "
                     "shell takes > for itself\n",
                     subject.c_str());
        return Exit::usage;
    }
    const auto loaded = config::load(common.config_file, preset_names());
    for (const auto& error : loaded.errors) std::fputs(to_text(error, "error").c_str(), stderr);
    if (!loaded.config || !has_firewall(common, *loaded.config)) return Exit::invalid;
    const auto policy = firewall::derive(*loaded.config);
    firewall::Packet packet{.zone = firewall::zone_of(policy, question->from),
                            .transport = question->transport,
                            .from = question->from,
                            .to = as_it_arrives(question->to.ip, *loaded.config),
                            .port = question->to.port};
    if (policy.routes() && !is_own(question->to.ip, *loaded.config)) {
        packet.hook = firewall::Hook::forward;
        packet.to_zone = firewall::zone_of(policy, packet.to);
    }
    const auto verdict = firewall::evaluate(policy, packet);
    const json explanation = to_json(verdict, subject, *question);
    const std::string text = common.json ? admin::to_text(explanation) + "\n" : to_text(explanation);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return verdict.admitted ? Exit::done : Exit::answer_is_no;
}

}  // namespace sallyport::cli
