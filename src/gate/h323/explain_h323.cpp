#include "gate/h323/asked.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/router.hpp"

namespace sallyport::gate::h323 {

namespace {

constexpr std::string_view call_mark = "?call";

Asked asked_by(std::string_view subject) {
    using namespace sallyport::h323;
    if (subject.ends_with(call_mark)) {
        subject.remove_suffix(call_mark.size());
        return asked_by_called({{AliasKind::url_id, std::string(subject)}});
    }
    if (!subject.empty()) return asked_by_gatekeeper_id(subject);
    return {.names = {}, .said = {}, .why_none = "a registration without a gatekeeper id"};
}

}  // namespace

void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation) {
    explanation.protocol = "h323";
    const Asked asked = asked_by(rest);
    explanation.detail = asked.why_none;
    if (asked.malformed) {
        explanation.reason = telemetry::Reason::peek_malformed;
        explanation.looked_for = asked.said;
        return;
    }
    Ask ask{.protocol = config::Protocol::h323,
            .name = name_of(asked, snapshot),
            .client = question.client,
            .tls = tls || question.tls};
    ask.certificate = ask.tls ? question.certificate : crypto::Verdict::none;
    // The subject says no alias: who registers is taken to do so by a name of the certificate. A call registers nobody.
    ask.certificate_fits = !rest.ends_with(call_mark) && !question.certificate_names.empty();
    conclude(snapshot, question, ask, explanation);
    if (asked.names.empty()) explanation.looked_for = asked.said;
}

}  // namespace sallyport::gate::h323
