#include "cli/dns_view.hpp"

#include <chrono>
#include <cstddef>
#include <string_view>

namespace sallyport::cli {

namespace {

using nlohmann::json;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
    out.append("# HELP ").append(name).append(" ").append(help).append("\n");
    out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void line(std::string& out, std::string_view name, const std::string& labels, const std::string& value) {
    out.append(name).append(labels.empty() ? "" : "{" + labels + "}").append(" ").append(value).append("\n");
}

std::string label(std::string_view name, std::string_view value) {
    return std::string(name) + "=\"" + std::string(value) + '"';
}

}  // namespace

std::string dns_metrics(const dns::ForwarderFacts& facts) {
    std::string out;
    std::string_view name = "sallyport_dns_cached_answers";
    head(out, name, "Answers of upstreams that are kept, in all threads.", "gauge");
    line(out, name, {}, std::to_string(facts.cached));
    name = "sallyport_dns_forwarded_total";
    head(out, name, "Questions that are not ours to answer, by what became of them.", "counter");
    for (std::size_t i = 0; i < dns::event_names.size(); ++i)
        line(out, name, label("event", dns::event_names[i]), std::to_string(facts.numbers.events[i]));
    if (facts.upstreams.empty()) return out;
    name = "sallyport_dns_upstream_total";
    head(out, name, "Messages to and from each upstream.", "counter");
    for (const dns::UpstreamFacts& upstream : facts.upstreams) {
        for (std::size_t i = 0; i < dns::passed_names.size(); ++i)
            line(out, name, label("upstream", upstream.name) + ',' + label("message", dns::passed_names[i]),
                 std::to_string(upstream.numbers.passed[i]));
    }
    name = "sallyport_dns_upstream_up";
    head(out, name, "1 while the upstream answers, 0 while it is only probed.", "gauge");
    for (const dns::UpstreamFacts& upstream : facts.upstreams)
        line(out, name, label("upstream", upstream.name), upstream.failing ? "0" : "1");
    name = "sallyport_dns_upstream_round_trip_seconds";
    head(out, name, "How long its answers take, smoothed.", "gauge");
    for (const dns::UpstreamFacts& upstream : facts.upstreams)
        line(out, name, label("upstream", upstream.name), std::to_string(seconds(upstream.round_trip)));
    return out;
}

json dns_json(const dns::ForwarderFacts& facts) {
    json events = json::object();
    for (std::size_t i = 0; i < dns::event_names.size(); ++i)
        events[std::string(dns::event_names[i])] = facts.numbers.events[i];
    json upstreams = json::array();
    for (const dns::UpstreamFacts& upstream : facts.upstreams) {
        json row{{"name", upstream.name}, {"up", !upstream.failing}, {"round_trip_s", seconds(upstream.round_trip)}};
        for (std::size_t i = 0; i < dns::passed_names.size(); ++i)
            row[std::string(dns::passed_names[i])] = upstream.numbers.passed[i];
        upstreams.push_back(std::move(row));
    }
    return {{"cached", facts.cached}, {"forwarded", std::move(events)}, {"upstreams", std::move(upstreams)}};
}

}  // namespace sallyport::cli
