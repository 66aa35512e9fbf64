// The story of an LDAP connection, top to bottom: TLS where it begins so or asks for it, the first request, the
// decision, the target or the refusal.
#include "gate/gate.hpp"
#include "gate/handshake.hpp"
#include "gate/ldap/asked.hpp"
#include "gate/ldap/ldap_dialect.hpp"
#include "gate/ldap/refuse.hpp"
#include "gate/ldap/watch.hpp"
#include "gate/refusal.hpp"
#include "gate/targets/connect.hpp"
#include "wire/ldap/bind_name.hpp"
#include "wire/ldap/extended.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <chrono>
#include <vector>

namespace sallyport::gate::ldap {

namespace {

using namespace sallyport::ldap;
using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration first_byte_within = 10s;
constexpr Duration whole_message_within = 10s;  // from its first byte
constexpr Duration goodbye_within = 2s;
constexpr char tls_handshake = '\x16';  // the first byte of every TLS connection (RFC 8446 section 5.1)

class Conversation {
public:
    Conversation(Session& session, io::Stream& client) : session_(session), client_(client) {}

    io::Task<std::unique_ptr<Tunnel>> run() {
        if (session_.listener->tls) {
            const bool secured = co_await secure();
            if (!secured) co_return nullptr;
        }
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
        client_.write(answer);
        about.reason = reason;
        about.detail = detail;
        about.tls_client = client_.is_tls();
        about.bytes_in = received_;
        about.bytes_out = answer.size();
        report_refusal(session_, about, session_.since);
        co_await close_lingering(client_, client_.loop().in(goodbye_within));
    }

    void record(Reason reason, std::string_view detail) {
        report_refusal(session_,
                       {.reason = reason, .detail = detail, .tls_client = client_.is_tls(), .bytes_in = received_},
                       session_.since);
    }

    io::Task<bool> secure() {
        const ClientHandshake shaken = co_await shake_hands_with_client(session_, client_);
        if (shaken.silent) co_return false;
        if (shaken.reason == Reason::ok) co_return true;
        record(shaken.reason, shaken.detail);
        if (!shaken.gone) co_await close_lingering(client_, client_.loop().in(goodbye_within));
        co_return false;
    }

    // Until a whole message stands at the front. False: the story is told.
    io::Task<bool> read_request() {
        head_ = {};
        io::Deadline deadline = client_.loop().in(first_byte_within);
        for (;;) {
            if (!inbox_.empty()) {
                const MessageResult result = read_message_head(inbox_, Sender::client, head_);
                if (result.state == MessageResult::State::complete) co_return true;
                if (result.state == MessageResult::State::refused) {
                    co_await refuse_malformed(result.error);
                    co_return false;
                }
            }
            const io::Got got = client_.read(client_.loop().buffer().first(max_message));
            if (got.io == io::Io::ok) {
                if (inbox_.empty()) deadline = client_.loop().in(whole_message_within);
                const Bytes came = Bytes(client_.loop().buffer()).first(got.bytes);
                inbox_.insert(inbox_.end(), came.begin(), came.end());
                received_ += got.bytes;
                continue;
            }
            if (got.io != io::Io::again) {
                if (received_ > 0)
                    record(got.io == io::Io::eof ? Reason::client_closed : Reason::client_reset, "before a bind");
                co_return false;
            }
            const io::Wait waited = co_await client_.readable(deadline);
            if (waited == io::Wait::ready) continue;
            if (waited == io::Wait::timeout)
                co_await refuse(Reason::peek_timeout, received_ == 0 ? "not a byte came" : "no whole request came");
            else if (received_ > 0)
                record(session_.ended_by, "before a bind");
            co_return false;
        }
    }

    io::Task<void> refuse_malformed(MessageError error) {
        if (sallyport::proxy::begins_like_header(inbox_)) {
            record(Reason::proxy_untrusted, sallyport::proxy::unexpected);
            client_.reset();
        } else if (!client_.is_tls() && as_text(inbox_).starts_with(tls_handshake)) {
            record(Reason::tls_on_plain_port, "");
            client_.reset();
        } else {
            const bool too_large = error.what == MessageError::What::too_large;
            head_ = {};
            co_await refuse(too_large ? Reason::peek_too_large : Reason::peek_malformed, std::string(text(error)));
        }
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
        inbox_.clear();
        // Waits for who refuses it too: a client that asks again and again without reading costs no memory.
        const io::Wait sent =
            co_await client_.write_all(std::string(as_text(answer)), client_.loop().in(whole_message_within));
        if (sent != io::Wait::ready) {
            record(Reason::client_closed, "before TLS began");
            co_return false;
        }
        if (!possible) co_return true;  // it may bind without
        co_return co_await secure();
    }

    std::unique_ptr<Tunnel> leave() {
        record(Reason::client_closed, "unbound without a bind");
        return nullptr;
    }

    io::Task<std::unique_ptr<Tunnel>> route() {
        Gate& gate = session_.gate;
        const SnapshotHandle snapshot = gate.snapshot();
        const Asked asked = read_asked(head_);
        if (asked.malformed) {
            co_await refuse(Reason::peek_malformed, asked.why_none, {.looked_for = asked.said});
            co_return nullptr;
        }
        const Decision decision = decide(*snapshot->routing, {.protocol = config::Protocol::ldap,
                                                              .name = asked.domain,
                                                              .client = session_.client.ip,
                                                              .tls = client_.is_tls()});
        const std::string_view service = decision.service == nullptr ? std::string_view{} : decision.service->name;
        if (!decision.admitted()) {
            const bool unknown = decision.reason == Reason::service_unknown;
            const std::string_view nearest =
                unknown ? snapshot->routing->nearest_name(config::Protocol::ldap, asked.domain) : std::string_view{};
            co_await refuse(decision.reason, asked.why_none,
                            {.looked_for = asked.said, .nearest = nearest, .service = service});
            co_return nullptr;
        }
        session_.busy_with(service, {});
        TargetSearch search(session_, client_, snapshot, decision, asked.domain);
        auto target = co_await search.next(Reuse::none);
        session_.at_rest();
        if (!target) {
            co_await refuse(target.error().reason, target.error().detail,
                            {.looked_for = asked.said,
                             .service = service,
                             .target = target.error().target,
                             .tls_target = decision.leg_tls});
            co_return nullptr;
        }
        auto tunnel = std::make_unique<Tunnel>(Tunnel{.target = std::move(*target),
                                                      .protocol = config::Protocol::ldap,
                                                      .tls_client = client_.is_tls(),
                                                      .service = std::string(service),
                                                      .looked_for = asked.said,
                                                      .method = {},
                                                      .url = {},
                                                      .since = session_.since,
                                                      .began = gate.loop().wall_at(session_.since),
                                                      .relayed = {}});
        auto watch = std::make_unique<LdapWatch>(session_, std::string(service), asked.sasl);
        // All that has come goes the way of what follows; the watch decides on this bind once more, as on any other.
        const bool goes_on = watch->from_client(inbox_, client_, tunnel->target.stream);
        tunnel->relayed.to_target = received_;
        tunnel->watch = std::move(watch);
        if (!goes_on) session_.end(tunnel->watch->reason());
        co_return tunnel;
    }

    Session& session_;
    io::Stream& client_;
    std::vector<std::byte> inbox_;  // what has come and is not dealt with
    std::uint64_t received_ = 0;
    MessageHead head_;  // of the request at the front of the inbox
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
