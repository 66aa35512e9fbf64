#include "cli/dns_settings.hpp"

#include "cli/settings.hpp"
#include "cli/subjects.hpp"
#include "dns/explain.hpp"
#include "push/claims.hpp"

namespace sallyport::cli {

std::vector<listeners::Claim> dns_claims(const config::Config& config) {
    std::vector<listeners::Claim> out;
    for (const auto& listen : config.dns.listen) out.push_back({listen.value, "dns.listen", false, dns_kind});
    return out;
}

std::vector<listeners::UdpClaim> dns_udp_claims(const config::Config& config) {
    std::vector<listeners::UdpClaim> out;
    for (const auto& listen : config.dns.listen)
        out.push_back({.address = listen.value, .owner = "dns.listen", .handler = dns_kind});
    return out;
}

Result<ExplainedName> explain_dns(const config::Dns& settings, const dns::Zones& zones, const push::Policy* push,
                                  std::string_view subject, const IpAddress& client) {
    if (settings.listen.empty()) return fail("there is no name server here: [dns] has no listen (write \":53\")");
    push::AssumedClaims claims(push);
    auto explained = dns::explain(zones, dns_subject.rest_of(subject), client, &claims);
    if (!explained) return std::unexpected(explained.error());
    gate::Explanation out;
    out.reason = explained->reason;
    out.protocol = "dns";
    out.looked_for = explained->looked_for;
    out.service = explained->view;
    (explained->answered() ? out.target : out.detail) = explained->answer;
    for (dns::Step& step : explained->trail)
        out.trail.push_back({std::move(step.rule), std::move(step.place), std::move(step.result)});
    return ExplainedName{std::move(out), explained->passed_on};
}

void look_up(dns::Server& server, std::string_view subject, const IpAddress& client,
             std::function<void(dns::LookedUp)> told) {
    const auto asked = dns::read_subject(dns_subject.rest_of(subject));
    if (!asked) return told({});
    server.look_up(asked->name, asked->type, client, std::move(told));
}

void take(const dns::LookedUp& looked_up, gate::Explanation& explanation) {
    const bool stale = looked_up.reason == telemetry::Reason::dns_stale;
    explanation.reason = stale ? telemetry::Reason::ok : looked_up.reason;
    const std::string text = dns::answer_text(looked_up.answer) + (stale ? ", past its time" : "");
    explanation.target = explanation.admitted() ? text : "";
    if (!explanation.admitted()) explanation.detail = text;
}

}  // namespace sallyport::cli
