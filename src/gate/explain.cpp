#include "gate/explain.hpp"

#include "base/text.hpp"
#include "gate/http/explain_http.hpp"
#include "gate/tls/pass_by_sni.hpp"

namespace sallyport::gate {

namespace {

struct Form {
    std::string_view scheme;  // of the subject, with its colon
    bool tls;
    void (*explain)(const Snapshot&, const Question&, bool tls, std::string_view rest, Explanation&);
};

constexpr Form forms[] = {
    {"http://", false, http::explain},
    {"https://", true, http::explain},
    {"tls:", true, tls::explain},
};

std::string target_text(const Decision& decision) {
    const config::Target& target = decision.service->settings->targets.front().value;
    if (target.kind == config::Target::Kind::builtin) return "builtin:" + target.text;
    if (target.kind == config::Target::Kind::address) return SocketAddress{target.address, decision.port}.to_string();
    return target.text + ":" + std::to_string(decision.port);
}

}  // namespace

void conclude(const Snapshot& snapshot, const Ask& ask, Explanation& explanation) {
    const Decision decision = decide(snapshot, ask, &explanation.trail);
    explanation.looked_for = ask.name;
    explanation.reason = decision.reason;
    if (decision.service != nullptr) explanation.service = decision.service->name;
    if (decision.reason == telemetry::Reason::service_unknown)
        explanation.nearest = snapshot.nearest_name(ask.protocol, ask.name);
    if (!decision.admitted()) return;
    explanation.target = target_text(decision);
    if (ask.protocol == config::Protocol::tls)
        explanation.leg = "unopened";
    else if (decision.port != 0)
        explanation.leg = decision.leg_tls ? "tls" : "plain";
}

Result<Explanation> explain(const Snapshot& snapshot, const Question& question) {
    for (const Form& form : forms) {
        const auto scheme = std::string_view(question.subject).substr(0, form.scheme.size());
        if (!equals_ignoring_case(scheme, form.scheme)) continue;
        Explanation explanation;
        form.explain(snapshot, question, form.tls, std::string_view(question.subject).substr(form.scheme.size()),
                     explanation);
        return explanation;
    }
    return fail("can't explain '" + question.subject +
                "': a subject looks like https://hq.example.com/path, or tls:update.example.com");
}

}  // namespace sallyport::gate
