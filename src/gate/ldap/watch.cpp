#include "gate/ldap/watch.hpp"

#include "gate/gate.hpp"
#include "gate/ldap/asked.hpp"
#include "gate/ldap/refuse.hpp"
#include "gate/pass_on.hpp"
#include "gate/refusal.hpp"
#include "gate/router.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/extended.hpp"

namespace sallyport::gate::ldap {

namespace {

using namespace sallyport::ldap;
using telemetry::Reason;

constexpr std::size_t max_to_tell = std::size_t{4} * 1024;  // octets

}  // namespace

bool LdapWatch::from_client(Bytes bytes, io::Stream& client, io::Stream& target) {
    if (reason_ != Reason::ok) return false;  // it has ended, whatever came meanwhile
    PassOn pass(target, bytes);
    for (;;) {
        const Step step = up_.next(bytes);
        withhold_ = false;
        if (!look(step, client)) return false;
        if (!withhold_) pass.add(step.bytes);
        bytes = bytes.subspan(step.consumed);
        if (step.what == Step::What::need_more) return true;
    }
}

bool LdapWatch::from_target(Bytes bytes, io::Stream& client, io::Stream&) {
    PassOn pass(client, bytes);
    for (;;) {
        const Step step = down_.next(bytes);
        if (step.what == Step::What::whole && step.op == op::bind_response) look_at_answer(step);
        pass.add(step.bytes);
        bytes = bytes.subspan(step.consumed);
        if (!to_tell_.empty() && !down_.within_message()) {
            pass.flush();
            tell(client, as_bytes(std::exchange(to_tell_, {})));
        }
        if (step.what == Step::What::need_more) return true;
    }
}

void LdapWatch::look_at_answer(const Step& step) {
    MessageHead head;
    if (read_message_head(step.bytes, Sender::server, head).state != MessageResult::State::complete) return;
    if (const auto judged = binds_.answered(head.id, head.operation))
        session_.gate.suspect(session_, judged->sign, judged->credential);
}

bool LdapWatch::look(const Step& step, io::Stream& client) {
    switch (step.what) {
        case Step::What::need_more:
        case Step::What::message:
        case Step::What::rest: return true;
        case Step::What::unread:
            return end(Reason::peek_too_large, "a bind or extended request of more than 64 KiB", client);
        case Step::What::blind:
            // Nobody would see a further bind any more.
            return sasl_ || end(Reason::peek_malformed, std::string(text(step.error)), client);
        case Step::What::whole: break;
    }
    MessageHead head;
    const auto read = read_message_head(step.bytes, Sender::client, head);
    if (read.state != MessageResult::State::complete)
        return end(Reason::peek_malformed, std::string(text(read.error)), client);
    if (head.op == op::bind_request) return admits_bind(head, client);
    const auto extended = read_extended_request(head.operation);
    if (!extended || !extended->is_start_tls()) return true;
    // TLS begins before the bind or not at all: behind it the target would shake hands with a stranger to its name.
    withhold_ = true;
    if (client.blocked() || to_tell_.size() > max_to_tell)
        return end(Reason::client_stalled, "StartTLS after the bind, again and again, and no answer is read", client);
    AnswerRoom room;
    tell(client, write_start_tls_answer(
                     room, head.id,
                     {.code = code::operations_error, .diagnostic = "StartTLS comes before the bind at this gateway"}));
    return true;
}

bool LdapWatch::admits_bind(const MessageHead& head, io::Stream& client) {
    const Asked asked = read_asked(head);
    const SnapshotHandle snapshot = session_.gate.snapshot();
    const Decision decision = decide(*snapshot->routing, {.protocol = config::Protocol::ldap,
                                                          .name = asked.domain,
                                                          .client = session_.client.ip,
                                                          .tls = client.is_tls()});
    const bool banned = session_.gate.guard().banned(session_.client.ip);
    if (!banned && !asked.malformed && decision.admitted() && decision.service->is_named(service_)) {
        sasl_ = sasl_ || asked.sasl;
        if (const auto bind = read_bind_request(head.operation)) binds_.asked(head.id, *bind);
        return true;
    }
    const bool elsewhere = !banned && !asked.malformed && decision.admitted();
    const Reason refusal = elsewhere ? Reason::service_unknown : decision.reason;
    const Reason why = banned ? Reason::ban_active : asked.malformed ? Reason::peek_malformed : refusal;
    const std::string detail = elsewhere ? "a further bind names another service" : asked.why_none;
    AnswerRoom room;
    const std::string said = diagnostic(why, detail);
    tell(client, write_answer(room, head.op, head.id, {.code = result_code(why), .diagnostic = said}));
    report_refusal(session_,
                   {.reason = why,
                    .detail = detail,
                    .looked_for = asked.said,
                    .service = decision.service == nullptr ? std::string_view{} : decision.service->name,
                    .tls_client = client.is_tls()},
                   session_.gate.loop().now());
    reason_ = why;
    detail_ = "a further bind was refused";
    return false;
}

bool LdapWatch::end(Reason reason, std::string detail, io::Stream& client) {
    reason_ = reason;
    detail_ = std::move(detail);
    disconnect(client, reason);
    return false;
}

void LdapWatch::tell(io::Stream& client, Bytes answer) {
    if (down_.within_message())
        to_tell_ += as_text(answer);
    else
        client.write(answer);
}

void LdapWatch::say_goodbye(io::Stream& client, Reason why) {
    if (reason_ == Reason::ok) disconnect(client, why);  // else it knows already
}

// RFC 4511 section 4.4.1. Within a message of the target's there is no place for it.
void LdapWatch::disconnect(io::Stream& client, Reason why) {
    if (down_.within_message() || down_.blind()) return;
    AnswerRoom room;
    const std::string said = diagnostic(why, detail_);
    client.write(write_notice_of_disconnection(room, {.code = result_code(why), .diagnostic = said}));
}

}  // namespace sallyport::gate::ldap
