// The story of an H.323 connection, top to bottom: TLS where it begins so, the first message, the decision, the target
// or the refusal. Where a phone first asks for its gatekeeper and a certificate is to decide, the story is told twice.
#include "gate/gate.hpp"
#include "gate/h323/asked.hpp"
#include "gate/h323/discover.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/h323/refuse.hpp"
#include "gate/h323/registered.hpp"
#include "gate/h323/watch.hpp"
#include "gate/opening.hpp"
#include "wire/h323/tpkt.hpp"

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;
using telemetry::Reason;

constexpr int most_keep_alives = 8;  // in front of the first message
constexpr int most_discoveries = 4;  // then the connection is routed, whatever is said

class Conversation {
public:
    Conversation(Session& session, io::Stream& client)
        : session_(session), client_(client), opening_(session, client, max_message) {}

    io::Task<std::unique_ptr<Tunnel>> run() {
        const bool begun = co_await opening_.begin();
        if (!begun) co_return nullptr;
        for (;;) {
            const bool read = co_await read_message();
            if (!read) co_return nullptr;
            auto route = co_await choose();
            if (!route) co_return nullptr;
            auto tunnel = co_await open(*route);
            if (!tunnel) co_return nullptr;
            if (!waits_for_a_name(*route)) co_return watched(*route, std::move(tunnel));
            const bool answered = co_await ask_target(*route, *tunnel);
            if (!answered) co_return nullptr;
        }
    }

private:
    // What went wrong is told in H.323 if enough has come to be answered, and recorded.
    io::Task<void> refuse(Reason reason, std::string_view detail, Refusal about = {}) {
        AnswerRoom room;
        const Bytes answer = write_refusal(room, heard_, reason);
        if (answer.empty()) {
            opening_.reset(reason, detail);
            co_return;
        }
        about.reason = reason;
        about.detail = detail;
        co_await opening_.refuse(answer, about);
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
            length_ = length;
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
        if (opening_.reset_foreign()) co_return;
        if (why_ == Reason::peek_too_large) heard_ = hear(message());
        co_await refuse(why_, why_detail_);
    }

    struct Route {
        SnapshotHandle snapshot;
        Decision decision;
        std::string name;  // that it was decided by
        std::string said;  // as it came
        std::unique_ptr<ShownCertificate> shown;

        const config::Service& settings() const { return *decision.service->settings; }
    };

    // Where the message goes. Nothing: it was refused.
    io::Task<std::optional<Route>> choose() {
        Route route{.snapshot = session_.gate.snapshot(), .decision = {}, .name = {}, .said = {}, .shown = {}};
        const Snapshot& routing = *route.snapshot->routing;
        const Asked asked = read_asked(heard_);
        if (asked.malformed) {
            co_await refuse(Reason::peek_malformed, asked.why_none, {.looked_for = asked.said});
            co_return std::nullopt;
        }
        if (session_.gate.guard().banned(session_.client.ip)) {
            co_await refuse(Reason::ban_active, "", {.looked_for = asked.said});
            co_return std::nullopt;
        }
        route.name = name_of(asked, routing);
        if (routing.checks_certificates(config::Protocol::h323)) route.shown = shown_by(client_);
        route.decision = decide(routing, ask_of(route.name, routing, route.shown.get()));
        route.said = asked.said;
        if (route.decision.admitted()) co_return route;
        co_await refuse(route.decision.reason, asked.why_none,
                        about_decision(routing, config::Protocol::h323, route.decision, route.name, asked.said));
        co_return std::nullopt;
    }

    // Null: it was refused.
    io::Task<std::unique_ptr<Tunnel>> open(const Route& route) {
        auto opened = co_await open_tunnel(session_, client_, route.snapshot, route.decision, route.name);
        // The bytes are still there, the views of them too: nothing has been read meanwhile.
        if (!opened) {
            co_await refuse(opened.error().reason, opened.error().detail, about(route, opened.error().target));
            co_return nullptr;
        }
        (*opened)->looked_for = route.said;
        co_return std::move(*opened);
    }

    static Refusal about(const Route& route, std::string_view target) {
        return {.looked_for = route.said,
                .service = route.decision.service->name,
                .target = target,
                .tls_target = route.decision.leg_tls};
    }

    // A certificate that is trusted, and nobody yet whom it could vouch for.
    bool waits_for_a_name(const Route& route) const {
        return route.shown && route.settings().check_certificate && !route.decision.leg_tls && only_discovers(heard_) &&
               route.shown->verdict(client_.loop().wall()) == crypto::Verdict::trusted &&
               RegisteredNames(route.settings()).fit(*route.shown, heard_) == Fit::nothing &&
               discoveries_ < most_discoveries;
    }

    // False: the story is told.
    io::Task<bool> ask_target(const Route& route, Tunnel& tunnel) {
        ++discoveries_;
        const std::size_t length = skipped_ + length_;
        const Reason reason = co_await discover(session_, opening_, tunnel, opening_.bytes().first(length), heard_);
        if (reason != Reason::ok) {
            co_await refuse(reason, "asked for its gatekeeper", about(route, tunnel.target.text));
            co_return false;
        }
        heard_ = {};
        opening_.take(length);
        opening_.expect_message();
        skipped_ = 0;
        keep_alives_ = 0;
        co_return true;
    }

    std::unique_ptr<Tunnel> watched(Route& route, std::unique_ptr<Tunnel> tunnel) {
        // The target takes the TLS leg for the word of the certificate: so it stays, whoever is registered later.
        const bool vouched = route.settings().check_certificate && route.decision.leg_tls;
        if (!vouched) route.shown.reset();
        auto watch =
            std::make_unique<H323Watch>(session_, *tunnel, RegisteredNames(route.settings()), std::move(route.shown));
        // All that has come goes the way of what follows; the watch looks at this message once more, as at any other.
        const bool goes_on = watch->from_client(opening_.bytes(), client_, tunnel->target.stream);
        tunnel->relayed = {.to_target = opening_.received(), .to_client = opening_.sent()};
        tunnel->watch = std::move(watch);
        if (!goes_on) session_.end(tunnel->watch->reason());
        return tunnel;
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
    std::size_t length_ = 0;  // of the first message behind them, with its TPKT
    int keep_alives_ = 0;
    int discoveries_ = 0;
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
