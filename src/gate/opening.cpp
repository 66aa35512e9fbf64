#include "gate/opening.hpp"

#include "gate/gate.hpp"
#include "gate/handshake.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <utility>

namespace sallyport::gate {

using telemetry::Reason;

namespace {

constexpr char tls_handshake = '\x16';  // the first byte of every TLS connection (RFC 8446 section 5.1)

}  // namespace

Reason end_reason(Came came, const Session& session) {
    switch (came) {
        case Came::closed: return Reason::client_closed;
        case Came::reset: return Reason::client_reset;
        case Came::late: return Reason::peek_timeout;
        case Came::more:
        case Came::cancelled: break;
    }
    return session.ended_by;
}

io::Task<bool> Opening::begin() {
    if (!session_.tls || client_.is_tls()) co_return true;
    co_return co_await secure();
}

io::Task<bool> Opening::secure() {
    const ClientHandshake shaken = co_await shake_hands_with_client(session_, client_);
    if (shaken.silent) co_return false;
    if (shaken.reason == Reason::ok) {
        expect_message();
        co_return true;
    }
    record(shaken.reason, shaken.detail);
    if (!shaken.gone) co_await close_lingering(client_, client_.loop().in(goodbye_within));
    co_return false;
}

io::Task<Came> Opening::more() {
    for (;;) {
        const io::Got got = client_.read(client_.loop().buffer().first(most_));
        if (got.io == io::Io::ok) {
            if (!std::exchange(begun_, true)) deadline_ = client_.loop().in(whole_message_within);
            const Bytes came = Bytes(client_.loop().buffer()).first(got.bytes);
            bytes_.insert(bytes_.end(), came.begin(), came.end());
            received_ += got.bytes;
            co_return Came::more;
        }
        if (got.io != io::Io::again) co_return got.io == io::Io::eof ? Came::closed : Came::reset;
        const io::Wait waited = co_await client_.readable(deadline_);
        if (waited == io::Wait::timeout) co_return Came::late;
        if (waited == io::Wait::cancelled) co_return Came::cancelled;
    }
}

void Opening::record(Reason reason, std::string_view detail) const {
    report_refusal(
        session_,
        {.reason = reason, .detail = detail, .tls_client = client_.is_tls(), .bytes_in = received_, .bytes_out = sent_},
        session_.since);
}

void Opening::reset(Reason reason, std::string_view detail) {
    record(reason, detail);
    client_.reset();
}

bool Opening::reset_foreign() {
    if (proxy::begins_like_header(bytes_)) {
        reset(Reason::proxy_untrusted, proxy::unexpected);
        return true;
    }
    if (client_.is_tls() || !as_text(bytes_).starts_with(tls_handshake)) return false;
    reset(Reason::tls_on_plain_port, "");
    return true;
}

io::Task<void> Opening::refuse(Bytes answer, Refusal about) {
    say(answer);
    about.tls_client = client_.is_tls();
    about.bytes_in = received_;
    about.bytes_out = sent_;
    report_refusal(session_, about, session_.since);
    co_await close_lingering(client_, client_.loop().in(goodbye_within));
}

}  // namespace sallyport::gate
