// The story of a SIP connection, top to bottom: TLS where it begins so, keep-alives answered, the first request, the
// decision, the target or the refusal.
#include "gate/gate.hpp"
#include "gate/opening.hpp"
#include "gate/proxy_header.hpp"
#include "gate/sip/asked.hpp"
#include "gate/sip/own_route.hpp"
#include "gate/sip/refuse.hpp"
#include "gate/sip/sip_dialect.hpp"
#include "gate/sip/watch.hpp"
#include "wire/sip/answer.hpp"
#include "wire/sip/uri.hpp"

#include <memory>

namespace sallyport::gate::sip {

namespace {

using namespace sallyport::sip;
using telemetry::Reason;

constexpr std::size_t most_read = std::size_t{64} * 1024;  // bytes at once, before it is routed

class Conversation {
public:
    Conversation(Session& session, io::Stream& client)
        : session_(session), client_(client), opening_(session, client, most_read) {}

    io::Task<std::unique_ptr<Tunnel>> run() {
        const bool begun = co_await opening_.begin();
        if (!begun) co_return nullptr;
        const bool read = co_await read_request();
        if (!read) co_return nullptr;
        co_return co_await route();
    }

private:
    // What went wrong is told in SIP where that can be answered, and recorded.
    io::Task<void> refuse(Reason reason, std::string_view detail, Refusal about = {}, std::uint16_t status = 0) {
        const std::string tag = new_tag();
        const std::string answer = write_refusal(
            message_, {.reason = reason, .detail = detail, .status = status, .tag = tag, .client = session_.client});
        about.reason = reason;
        about.detail = detail;
        co_await opening_.refuse(as_bytes(answer), about);
    }

    // Until a whole request stands at the front. False: the story is told.
    io::Task<bool> read_request() {
        for (;;) {
            const MessageResult result = parse_message(opening_.bytes(), message_);
            if (result.complete() && message_.is_request()) co_return true;
            if (result.complete()) {
                co_await refuse(Reason::peek_malformed, "a response to nothing that was asked");
                co_return false;
            }
            if (result.refused()) {
                co_await refuse_malformed(result.error);
                co_return false;
            }
            if (!answer_pings(result.leading)) {
                opening_.record(Reason::client_stalled, "keep-alives, and no answer to them is read");
                co_return false;
            }
            const Came came = co_await opening_.more();
            if (came == Came::more) continue;
            const bool spoke = opening_.received() > 0;
            if (came == Came::late) {
                parse_message(opening_.bytes(), message_);  // what there is of it says whom to answer
                co_await refuse(Reason::peek_timeout, spoke ? "no whole request came" : "not a byte came");
            } else if (spoke) {
                opening_.record(end_reason(came, session_), "before a request");
            }
            co_return false;
        }
    }

    // RFC 5626 section 4.4.1: whoever keeps a flow alive gives it up when no answer comes. There is nobody else yet to
    // answer. False: they are not read.
    bool answer_pings(std::size_t leading) {
        const std::size_t pings = leading / ping.size();
        opening_.take(pings * ping.size());
        std::string answer;
        for (std::size_t i = 0; i < pings; ++i) answer += pong;
        opening_.say(as_bytes(answer));
        return !client_.blocked();
    }

    io::Task<void> refuse_malformed(MessageError error) {
        if (opening_.reset_foreign()) co_return;
        co_await refuse(reason_of(error), text(error), {}, status_for(error));
    }

    io::Task<std::unique_ptr<Tunnel>> route() {
        const SnapshotHandle snapshot = session_.gate.snapshot();
        Asked asked = read_asked(message_);
        const bool comes_back = is_within_dialog(message_);
        if (const auto domain = comes_back ? domain_in_route(message_, outer(*snapshot)) : std::nullopt)
            asked.domain = *domain, asked.none = {};
        const std::string said(asked.said());
        if (asked.malformed()) {
            co_await refuse(Reason::peek_malformed, asked.why_none(), {.looked_for = said});
            co_return nullptr;
        }
        if (session_.gate.guard().banned(session_.client.ip)) {
            co_await refuse(Reason::ban_active, "", {.looked_for = said});
            co_return nullptr;
        }
        auto shown = snapshot->routing->checks_certificates(config::Protocol::sip) ? shown_by(client_) : nullptr;
        const Decision decision =
            decide(*snapshot->routing,
                   ask_of(asked, message_, session_.client.ip, client_.is_tls(), shown.get(), client_.loop().wall()));
        if (!decision.admitted()) {
            co_await refuse(
                decision.reason, asked.why_none(),
                about_decision(*snapshot->routing, config::Protocol::sip, decision, asked.domain.text(), said));
            co_return nullptr;
        }
        auto opened = co_await open_tunnel(session_, client_, snapshot, decision, std::string(asked.domain.text()));
        // The bytes are still there, the views of them too: nothing has been read meanwhile.
        if (!opened) {
            co_await refuse(opened.error().reason, opened.error().detail,
                            {.looked_for = said,
                             .service = decision.service->name,
                             .target = opened.error().target,
                             .tls_target = decision.leg_tls});
            co_return nullptr;
        }
        auto tunnel = std::move(*opened);
        tunnel->looked_for = said;
        auto watch = std::make_unique<SipWatch>(session_, *tunnel, std::move(shown));
        if (decision.service->settings->route_header)
            watch->be_in_route(own_route(*tunnel, outer(*snapshot), asked.domain.text()));
        if (asked.secure && !decision.leg_tls) watch->note_plain_leg();
        // All that has come goes the way of what follows; what stands behind this request is decided there.
        const bool goes_on = watch->from_client(opening_.bytes(), client_, tunnel->target.stream);
        tunnel->relayed = {.to_target = opening_.received(), .to_client = opening_.sent()};
        tunnel->watch = std::move(watch);
        if (!goes_on) session_.end(tunnel->watch->reason());
        co_return tunnel;
    }

    // Asks the system for the address: only for those who need it.
    Hop outer(const LoopSnapshot& snapshot) const {
        const auto& nat_map = snapshot.routing->config().node.nat_map;
        return outer_hop(reached_at(session_, client_), client_.is_tls(), nat_map);
    }
    static OwnRoute own_route(const Tunnel& tunnel, const Hop& outer, std::string_view domain) {
        const Hop inner{.address = io::local_address(tunnel.target.stream.fd()), .tls = tunnel.target.tls};
        return {outer, inner, domain};
    }

    Session& session_;
    io::Stream& client_;
    Opening opening_;
    Message message_;  // at the front of what has come
};

}  // namespace

io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client) {
    Conversation conversation(session, client);
    co_return co_await conversation.run();
}

void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation) {
    explanation.protocol = "sip";
    // The request that a phone would send for this address, through the same reader as live traffic.
    const std::string from = std::string(tls ? "sips:" : "sip:") + std::string(rest);
    const std::string text = "REGISTER sip:registrar SIP/2.0\r\nFrom: <" + from + ">\r\nTo: <" + from +
                             ">\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\n\r\n";
    const auto request = std::make_unique<Message>();
    const MessageResult read = parse_message(as_bytes(text), *request);
    const Asked asked = read.complete() ? read_asked(*request) : Asked{};
    if (!read.complete() || read.length != text.size() || asked.malformed()) {
        explanation.reason = Reason::peek_malformed;
        explanation.detail = read.refused() ? sallyport::sip::text(read.error) : "not a SIP address: user@domain";
        return;
    }
    explanation.detail = asked.why_none();
    const ShownCertificate shown(question.certificate, question.certificate_names);
    const bool by_tls = tls || question.tls;
    conclude(snapshot, question,
             ask_of(asked, *request, question.client, by_tls, by_tls ? &shown : nullptr, WallTime{}), explanation);
    if (asked.none) explanation.looked_for = rest;
}

}  // namespace sallyport::gate::sip
