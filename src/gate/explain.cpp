#include "gate/explain.hpp"

#include "base/text.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/http/explain_http.hpp"
#include "gate/ldap/ldap_dialect.hpp"
#include "gate/sip/sip_dialect.hpp"
#include "gate/targets/connect.hpp"
#include "gate/targets/order.hpp"
#include "gate/targets/state.hpp"
#include "gate/tls/pass_by_sni.hpp"

#include <algorithm>

namespace sallyport::gate {

namespace {

struct Form {
    std::string_view scheme;  // of the subject, with its colon
    bool tls;
    void (*explain)(const Snapshot&, const Question&, bool tls, std::string_view rest, Explanation&);
    std::string_view example = {};  // of each protocol one, for who writes none of them
};

constexpr Form forms[] = {
    {"https://", true, http::explain, "https://hq.example.com/path"},
    {"http://", false, http::explain},
    {"tls:", true, tls::explain, "tls:update.example.com"},
    {"ldap:", false, ldap::explain, "ldap:hq.example.com\\guest"},
    {"ldaps:", true, ldap::explain},
    {"sip:", false, sip::explain, "sip:alice@example.com"},
    {"sips:", true, sip::explain},
    {"h323:", false, h323::explain, "h323:example.com/branch"},
    {"h323s:", true, h323::explain},
};

// The targets as they stand now, in the order in which they would be tried.
void choose_target(const Decision& decision, const Question& question, Explanation& explanation) {
    const Service& service = *decision.service;
    const Order order = order_targets(service, question.client, 0);
    for (const std::uint8_t i : order) {
        const auto& target = service.settings->targets[i];
        const TargetState& state = *service.targets[i];
        std::string result(explanation.target.empty() ? "match" : "the next one");
        if (state.condition() != Condition::up) result += ", " + std::string(name(state.condition()));
        if (explanation.target.empty()) explanation.target = target_text(target.value, decision.port);
        explanation.trail.push_back({"target " + target.value.text, target.place, std::move(result)});
    }
    for (std::size_t i = 0; i < service.targets.size(); ++i) {
        if (std::ranges::find(order, i) != order.end()) continue;
        const auto& target = service.settings->targets[i];
        const TargetState& state = *service.targets[i];
        const std::string_view why = state.wish() == Wish::up ? name(state.condition()) : name(state.wish());
        explanation.trail.push_back({"target " + target.value.text, target.place, "not taken: " + std::string(why)});
    }
    if (order.count == 0) explanation.reason = telemetry::Reason::target_down;
}

}  // namespace

void conclude(const Snapshot& snapshot, const Question& question, const Ask& ask, Explanation& explanation) {
    const Decision decision = decide(snapshot, ask, &explanation.trail);
    explanation.looked_for = ask.name;
    explanation.reason = decision.reason;
    if (decision.service != nullptr) explanation.service = decision.service->name;
    if (decision.reason == telemetry::Reason::service_unknown)
        explanation.nearest = snapshot.nearest_name(ask.protocol, ask.name);
    if (!decision.admitted()) return;
    choose_target(decision, question, explanation);
    if (explanation.target.empty()) return;
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
    std::string examples;
    for (const Form& form : forms) {
        if (!form.example.empty()) examples += (examples.empty() ? "" : ", ") + std::string(form.example);
    }
    return fail("can't explain '" + question.subject + "': a subject looks like " + examples);
}

}  // namespace sallyport::gate
