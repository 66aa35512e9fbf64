// The story of an LDAP connection, top to bottom: TLS where it begins so or asks for it, the first request, the
// decision, the target or the refusal.
#include "gate/gate.hpp"
#include "gate/ldap/asked.hpp"
#include "gate/ldap/ldap_dialect.hpp"
#include "gate/ldap/refuse.hpp"
#include "gate/ldap/watch.hpp"
#include "gate/opening.hpp"
#include "wire/ldap/bind_name.hpp"
#include "wire/ldap/extended.hpp"

namespace sallyport::gate::ldap {

namespace {

using namespace sallyport::ldap;
using telemetry::Reason;

class Conversation {
public:
    Conversation(Session& session, io::Stream& client)
        : session_(session), client_(client), opening_(session, client, max_message) {}

    io::Task<std::unique_ptr<Tunnel>> run() {
        const bool begun = co_await opening_.begin();
        if (!begun) co_return nullptr;
        for (;;) {
            const bool read = co_await read_request();
            if (!read) co_return nullptr;
            if (head_.op == op::unbind_request) co_return leave();
            if (!asks_for_tls()) co_return co_await route();
            const bool secured = co_await start_tls();
            if (!secured) co_return nullptr;
        }
    }

private:
    // What went wrong is told in LDAP if the client can still be told, and recorded.
    io::Task<void> refuse(Reason reason, std::string detail, Refusal about = {}) {
        AnswerRoom room;
        const std::string said = diagnostic(reason, detail);
        const LdapResult result{.code = result_code(reason), .diagnostic = said};
        Bytes answer = head_.op != 0 ? write_answer(room, head_.op, head_.id, result) : Bytes{};
        if (answer.empty()) answer = write_notice_of_disconnection(room, result);  // there is no answer to an abandon
        about.reason = reason;
        about.detail = detail;
        co_await opening_.refuse(answer, about);
    }

    // Until a whole message stands at the front. False: the story is told.
    io::Task<bool> read_request() {
        head_ = {};
        for (;;) {
            if (!opening_.empty()) {
                const MessageResult result = read_message_head(opening_.bytes(), Sender::client, head_);
                if (result.state == MessageResult::State::complete) co_return true;
                if (result.state == MessageResult::State::refused) {
                    co_await refuse_malformed(result.error);
                    co_return false;
                }
            }
            const Came came = co_await opening_.more();
            if (came == Came::more) continue;
            const bool spoke = opening_.received() > 0;
            if (came == Came::late)
                co_await refuse(Reason::peek_timeout, spoke ? "no whole request came" : "not a byte came");
            else if (spoke)
                opening_.record(end_reason(came, session_), "before a bind");
            co_return false;
        }
    }

    io::Task<void> refuse_malformed(MessageError error) {
        if (opening_.reset_foreign()) co_return;
        const bool too_large = error.what == MessageError::What::too_large;
        head_ = {};
        co_await refuse(too_large ? Reason::peek_too_large : Reason::peek_malformed, std::string(text(error)));
    }

    bool asks_for_tls() const {
        if (head_.op != op::extended_request) return false;
        const auto request = read_extended_request(head_.operation);
        return request && request->is_start_tls();
    }

    // RFC 4511 section 4.14. What stands behind the request was not sent by a client that waits for the answer.
    io::Task<bool> start_tls() {
        const bool possible = !client_.is_tls() && session_.gate.snapshot()->tls_server != nullptr;
        const std::string_view why = client_.is_tls() ? "TLS is there already" : "there is no certificate";
        const LdapResult result =
            possible
                ? LdapResult{}
                : LdapResult{.code = client_.is_tls() ? code::operations_error : code::unavailable, .diagnostic = why};
        AnswerRoom room;
        const Bytes answer = write_start_tls_answer(room, head_.id, result);
        opening_.clear();
        // Waits for who refuses it too: a client that asks again and again without reading costs no memory.
        const io::Wait sent =
            co_await client_.write_all(std::string(as_text(answer)), client_.loop().in(Opening::whole_message_within));
        if (sent != io::Wait::ready) {
            opening_.record(Reason::client_closed, "before TLS began");
            co_return false;
        }
        if (!possible) co_return true;  // it may bind without
        co_return co_await opening_.secure();
    }

    std::unique_ptr<Tunnel> leave() {
        opening_.record(Reason::client_closed, "unbound without a bind");
        return nullptr;
    }

    io::Task<std::unique_ptr<Tunnel>> route() {
        const SnapshotHandle snapshot = session_.gate.snapshot();
        const Asked asked = read_asked(head_);
        if (asked.malformed) {
            co_await refuse(Reason::peek_malformed, asked.why_none, {.looked_for = asked.said});
            co_return nullptr;
        }
        if (session_.gate.guard().banned(session_.client.ip)) {
            co_await refuse(Reason::ban_active, "", {.looked_for = asked.said});
            co_return nullptr;
        }
        const Decision decision = decide(*snapshot->routing, {.protocol = config::Protocol::ldap,
                                                              .name = asked.domain,
                                                              .client = session_.client.ip,
                                                              .tls = client_.is_tls()});
        if (!decision.admitted()) {
            co_await refuse(
                decision.reason, asked.why_none,
                about_decision(*snapshot->routing, config::Protocol::ldap, decision, asked.domain, asked.said));
            co_return nullptr;
        }
        auto opened = co_await open_tunnel(session_, client_, snapshot, decision, asked.domain);
        if (!opened) {
            co_await refuse(opened.error().reason, opened.error().detail,
                            {.looked_for = asked.said,
                             .service = decision.service->name,
                             .target = opened.error().target,
                             .tls_target = decision.leg_tls});
            co_return nullptr;
        }
        auto tunnel = std::move(*opened);
        tunnel->looked_for = asked.said;
        auto watch = std::make_unique<LdapWatch>(session_, tunnel->service, asked.sasl);
        // All that has come goes the way of what follows; the watch decides on this bind once more, as on any other.
        const bool goes_on = watch->from_client(opening_.bytes(), client_, tunnel->target.stream);
        tunnel->relayed.to_target = opening_.received();
        tunnel->watch = std::move(watch);
        if (!goes_on) session_.end(tunnel->watch->reason());
        co_return tunnel;
    }

    Session& session_;
    io::Stream& client_;
    Opening opening_;
    MessageHead head_;  // of the request at the front of what has come
};

}  // namespace

io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client) {
    Conversation conversation(session, client);
    co_return co_await conversation.run();
}

void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view name,
             Explanation& explanation) {
    explanation.protocol = "ldap";
    const BindDomain found = bind_domain(name);
    if (found.form == NameForm::none) explanation.detail = text(found.error);
    const Ask ask{.protocol = config::Protocol::ldap,
                  .name = found.domain,
                  .client = question.client,
                  .tls = tls || question.tls};
    conclude(snapshot, question, ask, explanation);
    if (found.form == NameForm::none) explanation.looked_for = name;
}

}  // namespace sallyport::gate::ldap
