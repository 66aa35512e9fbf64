#include "gate/h323/watch.hpp"

#include "gate/h323/refuse.hpp"
#include "gate/pass_on.hpp"
#include "gate/refusal.hpp"
#include "wire/h323/gatekeeper_id.hpp"

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;
using telemetry::Reason;
using What = MessageStepper::Step::What;

constexpr std::size_t max_detail = 512;  // octets

template <class Hear>
void step_over(MessageStepper& stepper, Bytes bytes, Hear hear_message) {
    for (;;) {
        const auto step = stepper.next(bytes);
        bytes = bytes.subspan(step.consumed);
        if (step.what == What::need_more) return;
        if (step.what == What::message) hear_message(hear(step.message));
    }
}

// As ids are compared; one that is malformed as it came.
std::string comparable(std::string_view id) {
    const auto read = read_gatekeeper_id(id);
    return read ? read->name : std::string(id);
}

}  // namespace

// All passes at once and as it came: nothing that is seen here would hold it back.
bool H323Watch::from_client(Bytes bytes, io::Stream& client, io::Stream& target) {
    if (vouched_) return from_vouched(bytes, client, target);
    target.write(bytes);
    step_over(up_, bytes, [this](const Heard& heard) { hear_client(heard); });
    return true;
}

bool H323Watch::from_target(Bytes bytes, io::Stream& client, io::Stream&) {
    client.write(bytes);
    target_spoke_ = true;
    step_over(down_, bytes, [this](const Heard& heard) { hear_target(heard); });
    return true;
}

// What can't be followed or read might register anybody.
bool H323Watch::from_vouched(Bytes bytes, io::Stream& client, io::Stream& target) {
    if (reason_ != Reason::ok) return false;  // it has ended, whatever came meanwhile
    PassOn pass(target, bytes);
    for (;;) {
        const auto step = up_.next(bytes);
        bytes = bytes.subspan(step.consumed);
        switch (step.what) {
            case What::need_more: return true;
            case What::passed: break;
            case What::unread: return end(Reason::peek_too_large, "a message of more than 16 KiB", Heard{}, client);
            case What::blind: return end(Reason::peek_malformed, std::string(text(step.error)), Heard{}, client);
            case What::message:
                if (!admits(hear(step.message), client)) return false;
        }
        pass.add(step.bytes);
    }
}

bool H323Watch::admits(const Heard& heard, io::Stream& client) {
    if (!heard.fault.empty()) return end(Reason::peek_malformed, heard.fault, heard, client);
    if (names_.fit(*vouched_, heard) == Fit::no)
        return end(Reason::cert_name_mismatch, "a later registration under another name", heard, client);
    hear_client(heard);
    return true;
}

bool H323Watch::end(Reason reason, std::string detail, const Heard& heard, io::Stream& client) {
    reason_ = reason;
    AnswerRoom room;
    const Bytes answer = write_refusal(room, heard, reason);
    if (!answer.empty() && !down_.within_message() && !down_.blind()) client.write(answer);
    report_refusal(session_,
                   {.reason = reason,
                    .detail = detail,
                    .looked_for = tunnel_.looked_for,
                    .service = tunnel_.service,
                    .target = tunnel_.target.text,
                    .tls_client = client.is_tls(),
                    .tls_target = tunnel_.target.tls},
                   session_.gate.loop().now());
    detail_ = std::move(detail);
    return false;
}

void H323Watch::hear_client(const Heard& heard) {
    judge_.asked(heard);
    for (const RasMessage& ras : heard.ras) {
        if (!ras.is_request() || !ras.gatekeeper_identifier) continue;
        const std::string id = comparable(*ras.gatekeeper_identifier);
        if (gatekeeper_.empty())
            gatekeeper_ = id;
        else if (id != gatekeeper_)
            note("a later registration names another gatekeeper: " + *ras.gatekeeper_identifier);
    }
}

void H323Watch::hear_target(const Heard& heard) {
    tunnel_.target.lease.target()->spoke(session_.gate.loop().now());
    if (const auto sign = judge_.answered(heard)) session_.gate.suspect(session_, *sign);
    for (const RasMessage& ras : heard.ras) {
        if (!ras.is_reject() || ras.alternates.empty()) continue;
        const AlternateGatekeeper& other = ras.alternates.front();
        note("the target sends it to another gatekeeper: " +
             (other.identifier.empty() && other.address ? other.address->to_string() : other.identifier));
    }
}

void H323Watch::over(io::RelayEnd end) {
    const bool by_us = end == io::RelayEnd::cancelled || end == io::RelayEnd::refused;
    if (target_spoke_ || by_us) return;
    const SteadyTime now = session_.gate.loop().now();
    const bool closed = target_ended_ || end == io::RelayEnd::target_failed;
    if (closed || now - asked_ >= silent_after) note("the target has not said a word");
    if (const auto sign = sign_of_silence(*tunnel_.target.lease.target(), asked_, now, closed))
        session_.gate.suspect(session_, *sign);
}

// Each once, and no more than a record can bear.
void H323Watch::note(const std::string& text) {
    if (detail_.contains(text) || detail_.size() + text.size() > max_detail) return;
    if (!detail_.empty()) detail_ += "; ";
    detail_ += text;
}

}  // namespace sallyport::gate::h323
