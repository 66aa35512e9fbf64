// The story of an H.323 connection, top to bottom: TLS where it begins so, the first message, the decision, the target
// or the refusal.
#include "gate/gate.hpp"
#include "gate/h323/asked.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/h323/refuse.hpp"
#include "gate/h323/registered.hpp"
#include "gate/h323/watch.hpp"
#include "gate/opening.hpp"
#include "wire/h323/tpkt.hpp"
#include "wire/proxy/proxy_header.hpp"

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;
using telemetry::Reason;

constexpr int most_keep_alives = 8;  // in front of the first message
constexpr char tls_handshake = '\x16';  // the first byte of every TLS connection (RFC 8446 section 5.1)

class Conversation {
public:
    Conversation(Session& session, io::Stream& client)
        : session_(session), client_(client), opening_(session, client, max_message) {}

    io::Task<std::unique_ptr<Tunnel>> run() {
        if (session_.tls && !client_.is_tls()) {
            const bool secured = co_await opening_.secure();
            if (!secured) co_return nullptr;
        }
        const bool read = co_await read_message();
        if (!read) co_return nullptr;
        co_return co_await route();
    }

private:
    // What went wrong is told in H.323 if enough has come to be answered, and recorded.
    io::Task<void> refuse(Reason reason, std::string_view detail, Refusal about = {}) {
        AnswerRoom room;
        const Bytes answer = write_refusal(room, heard_, reason);
        if (answer.empty()) {
            reset(reason, detail);
            co_return;
        }
        about.reason = reason;
        about.detail = detail;
        co_await opening_.refuse(answer, about);
    }

    void reset(Reason reason, std::string_view detail) {
        opening_.record(reason, detail);
        client_.reset();
    }

    // All that has come behind the keep-alives.
    Bytes front() const { return opening_.bytes().subspan(skipped_); }
    // The same without its TPKT.
    Bytes message() const { return front().subspan(std::min(tpkt_header, front().size())); }

    enum class Front : std::uint8_t { more, whole, refused };

    // What stands at the front. Keep-alives stay there: the target gets every byte.
    Front look() {
        for (;;) {
            const auto tpkt = read_tpkt(front());
            if (!tpkt) return refused_by(Reason::peek_malformed, std::string(text(tpkt.error())));
            if (!*tpkt) return Front::more;
            const std::size_t length = (*tpkt)->length;
            if ((*tpkt)->keep_alive()) {
                skipped_ += length;
                if (++keep_alives_ <= most_keep_alives) continue;
                return refused_by(Reason::peek_malformed, "keep-alives, and nothing to keep alive");
            }
            if (length > max_message)
                return refused_by(Reason::peek_too_large, std::to_string(length) + " octets are announced");
            if (front().size() < length) return Front::more;
            heard_ = hear(message().first(length - tpkt_header));
            return Front::whole;
        }
    }

    Front refused_by(Reason reason, std::string detail) {
        why_ = reason;
        why_detail_ = std::move(detail);
        return Front::refused;
    }

    // Until the first message is whole. False: the story is told.
    io::Task<bool> read_message() {
        for (;;) {
            const Front front = look();
            if (front == Front::whole) co_return true;
            if (front == Front::refused) {
                co_await refuse_unread();
                co_return false;
            }
            const Came came = co_await opening_.more();
            if (came == Came::more) continue;
            const bool spoke = opening_.received() > 0;
            if (came == Came::late) {
                heard_ = hear(message());  // what there is of it may say whom to answer
                co_await refuse(Reason::peek_timeout, spoke ? "no whole message came" : "not a byte came");
            } else if (spoke) {
                opening_.record(end_reason(came, session_), "before a message");
            }
            co_return false;
        }
    }

    io::Task<void> refuse_unread() {
        if (sallyport::proxy::begins_like_header(opening_.bytes())) {
            reset(Reason::proxy_untrusted, sallyport::proxy::unexpected);
        } else if (!client_.is_tls() && as_text(opening_.bytes()).starts_with(tls_handshake)) {
            reset(Reason::tls_on_plain_port, "");
        } else {
            if (why_ == Reason::peek_too_large) heard_ = hear(message());
            co_await refuse(why_, why_detail_);
        }
    }

    io::Task<std::unique_ptr<Tunnel>> route() {
        const SnapshotHandle snapshot = session_.gate.snapshot();
        const Snapshot& routing = *snapshot->routing;
        const Asked asked = read_asked(heard_);
        if (asked.malformed) {
            co_await refuse(Reason::peek_malformed, asked.why_none, {.looked_for = asked.said});
            co_return nullptr;
        }
        const std::string name(name_of(asked, routing));
        auto shown = routing.checks_certificates(config::Protocol::h323) ? shown_by(client_) : nullptr;
        const Decision decision = decide(routing, ask_of(name, routing, shown.get()));
        if (!decision.admitted()) {
            co_await refuse(decision.reason, asked.why_none,
                            about_decision(routing, config::Protocol::h323, decision, name, asked.said));
            co_return nullptr;
        }
        auto opened = co_await open_tunnel(session_, client_, snapshot, decision, name);
        // The bytes are still there, the views of them too: nothing has been read meanwhile.
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
        // The target takes the TLS leg for the word of the certificate: so it stays, whoever is registered later.
        const config::Service& settings = *decision.service->settings;
        if (!settings.check_certificate || !decision.leg_tls) shown.reset();
        auto watch = std::make_unique<H323Watch>(session_, *tunnel, RegisteredNames(settings), std::move(shown));
        // All that has come goes the way of what follows; the watch looks at this message once more, as at any other.
        const bool goes_on = watch->from_client(opening_.bytes(), client_, tunnel->target.stream);
        tunnel->relayed.to_target = opening_.received();
        tunnel->watch = std::move(watch);
        if (!goes_on) session_.end(tunnel->watch->reason());
        co_return tunnel;
    }

    // The question to the router.
    Ask ask_of(std::string_view name, const Snapshot& routing, const ShownCertificate* shown) const {
        Ask ask{
            .protocol = config::Protocol::h323, .name = name, .client = session_.client.ip, .tls = client_.is_tls()};
        const Service* service = routing.choose(config::Protocol::h323, name);
        if (shown == nullptr || service == nullptr) return ask;
        ask.certificate = shown->verdict(client_.loop().wall());
        ask.certificate_fits = RegisteredNames(*service->settings).fit(*shown, heard_) == Fit::yes;
        return ask;
    }

    Session& session_;
    io::Stream& client_;
    Opening opening_;
    std::size_t skipped_ = 0;  // octets of keep-alives at the front
    int keep_alives_ = 0;
    Reason why_ = Reason::ok;  // where the front is refused
    std::string why_detail_;
    Heard heard_;  // views of what has come
};

}  // namespace

io::Task<std::unique_ptr<Tunnel>> serve(Session& session, io::Stream& client) {
    Conversation conversation(session, client);
    co_return co_await conversation.run();
}

}  // namespace sallyport::gate::h323
