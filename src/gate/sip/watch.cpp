#include "gate/sip/watch.hpp"

#include "base/text.hpp"
#include "gate/gate.hpp"
#include "gate/pass_on.hpp"
#include "gate/refusal.hpp"
#include "gate/sip/asked.hpp"
#include "gate/sip/refuse.hpp"
#include "wire/sip/answer.hpp"
#include "wire/sip/route.hpp"
#include "wire/sip/uri.hpp"

#include <utility>

namespace sallyport::gate::sip {

namespace {

using namespace sallyport::sip;
using telemetry::Reason;

constexpr std::size_t max_to_tell = std::size_t{16} * 1024;  // bytes
constexpr std::size_t max_remembered = 256;                  // bytes of a From field, for each connection has one

// Within a dialog a request goes where the dialog is: its From is what the other side called its sender. Registrations
// and publications are in no dialog, whatever their To says (RFC 3261 section 10.2, RFC 3903 section 4).
bool goes_by_dialog(const Message& request) {
    return request.method != "REGISTER" && request.method != "PUBLISH" && is_within_dialog(request);
}

}  // namespace

bool SipWatch::from_client(Bytes bytes, io::Stream& client, io::Stream& target) {
    using What = Stepper::Step::What;
    if (reason_ != Reason::ok) return false;  // it has ended, whatever came meanwhile
    PassOn pass(target, bytes);
    Message message;
    for (;;) {
        const auto step = up_.next(bytes, message);
        bytes = bytes.subspan(step.consumed);
        if (step.what == What::need_more) return true;
        if (step.what == What::refused) {
            tell(message, {reason_of(step.error), text(step.error), status_for(step.error)}, client);
            return end(reason_of(step.error), text(step.error));
        }
        if (step.what == What::head) withhold_ = message.is_request() && !admits(message, client);
        if (reason_ != Reason::ok) return false;
        if (step.what == What::head && !withhold_)
            pass_head(message, step.bytes, OwnRoute::Towards::target, pass);
        else if (!withhold_ || step.what == What::between)
            pass.add(step.bytes);
    }
}

bool SipWatch::from_target(Bytes bytes, io::Stream& client, io::Stream&) {
    using What = Stepper::Step::What;
    PassOn pass(client, bytes);
    Message message;
    for (;;) {
        const auto step = down_.next(bytes, message);
        bytes = bytes.subspan(step.consumed);
        if (step.what == What::need_more) break;
        if (step.what == What::head && message.is_response()) look_at_answer(message);
        if (step.what == What::head)
            pass_head(message, step.bytes, OwnRoute::Towards::client, pass);
        else
            pass.add(step.bytes);
    }
    if (!to_tell_.empty() && !down_.within_body()) {
        pass.flush();
        client.write(as_bytes(std::exchange(to_tell_, {})));
    }
    return true;
}

void SipWatch::pass_head(const Message& message, Bytes head, OwnRoute::Towards towards, PassOn& pass) const {
    if (route_ && message.is_request())
        pass.add(as_bytes(route_->rewrite(message, head, towards)));  // not of what came: it leaves at once
    else
        pass.add(head);
}

void SipWatch::look_at_answer(const Message& response) {
    if (asked_.size() == 0 && !AnswerJudge::judges_whatever_was_asked(response.status)) return;
    const auto asked = asked_.answered(response).value_or(TransactionTable::Asked{});
    if (const auto sign = answers_.judge(response, asked)) session_.gate.suspect(session_, *sign);
}

bool SipWatch::admits(const Message& request, io::Stream& client) {
    if (answers_refusal(request)) return false;
    if (!std::exchange(vouched_for_, false) && !is_admitted(request) && !goes_by_dialog(request)) {
        const Denial denial = judge(request, client);
        if (denial.reason != Reason::ok) {
            refuse(request, denial, client);
            return false;
        }
    }
    if (AnswerJudge::judges_answers_to(request)) asked_.sent(request);
    return true;
}

bool SipWatch::is_admitted(const Message& request) const {
    if (admitted_.from.empty() || admitted_.snapshot_number != session_.gate.snapshot_number()) return false;
    const Field* from = find(request.fields, FieldKind::from);
    return from != nullptr && without_tag(from->value) == admitted_.from &&
           count(request.fields, FieldKind::from) == 1 && !is_to_secure(request) &&
           !session_.gate.guard().banned(session_.client.ip);
}

SipWatch::Denial SipWatch::judge(const Message& request, const io::Stream& client) {
    const Asked asked = read_asked(request);
    if (asked.malformed()) return {Reason::peek_malformed, asked.why_none()};
    if (session_.gate.guard().banned(session_.client.ip)) return {Reason::ban_active, ""};
    const SnapshotHandle& snapshot = session_.gate.snapshot();
    const Decision decision = decide(*snapshot->routing, ask_of(asked, request, session_.client.ip, client.is_tls(),
                                                                shown_.get(), client.loop().wall()));
    if (!decision.admitted()) return {decision.reason, asked.why_none()};
    if (!decision.service->is_named(tunnel_.service))
        return {Reason::service_unknown, "this connection belongs to another domain: open one of its own", 403};
    // The target takes this leg for the word of a certificate, and the certificate is for somebody else.
    if (decision.service->settings->check_certificate && tunnel_.target.tls && !decision.leg_tls)
        return {Reason::cert_name_mismatch, "this connection is for whom its certificate names"};
    // The leg was chosen by a request that did not ask for TLS (RFC 5630 section 3.1.3 has the status).
    if (asked.secure && !tunnel_.target.tls && decision.leg_tls)
        return {Reason::protocol_unsupported, "sips: asks for TLS on each hop: open a connection of its own", 480};
    if (asked.secure && !tunnel_.target.tls) note_plain_leg();
    if (shown_ == nullptr && !asked.secure && asked.from.size() <= max_remembered)
        admitted_ = {std::string(without_tag(asked.from)), session_.gate.snapshot_number()};
    return {};
}

// The ACK to a refusal of ours: nobody else knows what it is about.
bool SipWatch::answers_refusal(const Message& request) const {
    const Field* to = find(request.fields, FieldKind::to);
    Address address;
    return !tag_.empty() && request.method == "ACK" && to != nullptr && parse_address(to->value, address) &&
           address.tag.starts_with(tag_);
}

void SipWatch::refuse(const Message& request, const Denial& denial, io::Stream& client) {
    if (client.blocked() || to_tell_.size() > max_to_tell) {
        end(Reason::client_stalled, "requests that are refused, again and again, and no answer is read");
        return;
    }
    const Asked asked = read_asked(request);
    report_refusal(session_,
                   {.reason = denial.reason,
                    .detail = denial.detail,
                    .looked_for = asked.said(),
                    .service = tunnel_.service,
                    .tls_client = client.is_tls()},
                   client.loop().now());
    tell(request, denial, client);
}

void SipWatch::tell(const Message& request, const Denial& denial, io::Stream& client) {
    if (down_.blind()) return;  // nobody knows where there would be a place for it
    if (tag_.empty()) tag_ = new_tag() + "-";
    const std::string tag = tag_ + std::to_string(++refused_);
    const std::string answer = write_refusal(request, {.reason = denial.reason,
                                                       .detail = denial.detail,
                                                       .status = denial.status,
                                                       .tag = tag,
                                                       .client = session_.client});
    if (down_.within_body())
        to_tell_ += answer;
    else
        client.write(as_bytes(answer));
}

bool SipWatch::end(Reason reason, std::string_view detail) {
    reason_ = reason;
    detail_ = detail;
    return false;
}

}  // namespace sallyport::gate::sip
