#include "io/tls.hpp"

#include "base/text.hpp"
#include "io/tls_bio.hpp"
#include "io/tls_credentials.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

namespace sallyport::io {

namespace {

// KeyUpdates, refused renegotiations and tickets cost work, and most of them an answer. Nobody needs many of them in
// one read, or while our answers find no room; OpenSSL 3.0 itself would go on for as long as they come.
constexpr std::uint8_t most_messages = 32;

// Bytes that one call takes off the socket; of what more there is, the next one learns. Two full buffers fill the
// largest read.
constexpr std::size_t most_received = 2 * Loop::tls_size;

void on_message(int, int, int content_type, const void*, std::size_t, SSL*, void* session) {
    static_cast<TlsSession*>(session)->count_message(content_type);
}

std::string der_of(const X509& certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    if (size < 0) return {};
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return out;
}

}  // namespace

TlsSession::TlsSession(ssl_st* ssl, bool server, std::shared_ptr<const void> context, int port_kind)
    : context_(std::move(context)), ssl_(ssl), port_kind_(port_kind) {
    BIO* bio = new_tls_bio(*this);
    SSL_set_bio(ssl_, bio, bio);  // owned by ssl_ from here
    SSL_set_msg_callback(ssl_, on_message);
    SSL_set_msg_callback_arg(ssl_, this);
    if (server)
        SSL_set_accept_state(ssl_);
    else
        SSL_set_connect_state(ssl_);
}

TlsSession::~TlsSession() { SSL_free(ssl_); }

std::string TlsSession::server_name() const {
    const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
    return name == nullptr ? std::string() : to_lower(name);
}

std::string_view TlsSession::agreed_protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

bool TlsSession::said_goodbye() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }

bool TlsSession::resumed() const { return SSL_session_reused(ssl_) == 1; }

PeerCertificate TlsSession::peer_certificate() const {
    const X509* shown = SSL_get0_peer_certificate(ssl_);
    if (shown == nullptr) return {};
    const WallTime not_after = crypto::wall_time(*X509_get0_notAfter(shown));
    long code = SSL_get_verify_result(ssl_);
    if (code == X509_V_OK && wall() > not_after) code = X509_V_ERR_CERT_HAS_EXPIRED;
    return {crypto::verdict_of(code),           crypto::detail_of(code), crypto::holder_names(*shown),
            crypto::distinguished_name(*shown), der_of(*shown),          not_after};
}

void TlsSession::count_message(int content_type) {
    if (content_type != SSL3_RT_HANDSHAKE && content_type != SSL3_RT_ALERT) return;
    if (!is_flooded()) ++messages_;
}

bool TlsSession::is_flooded() const { return messages_ > most_messages; }

void TlsSession::keep_first(Bytes bytes) {
    const std::size_t count = std::min(bytes.size(), first_.size() - first_size_);
    if (count == 0 || SSL_is_server(ssl_) == 0) return;
    std::memcpy(first_.data() + first_size_, bytes.data(), count);
    first_size_ = static_cast<std::uint8_t>(first_size_ + count);
}

int TlsSession::bio_read(char* out, int size) {
    if (is_flooded()) return -1;
    if (staged_in_.empty()) {
        if (received_ >= most_received) return -1;
        const Got got = stream_->raw_read(stream_->loop().tls_in());
        transport_ = got.io;
        if (got.io == Io::again) return -1;
        if (got.io != Io::ok) return 0;
        heard_ = true;
        received_ += static_cast<std::uint32_t>(got.bytes);
        staged_in_ = Bytes(stream_->loop().tls_in()).first(got.bytes);
        keep_first(staged_in_);
    }
    const auto count = std::min(staged_in_.size(), static_cast<std::size_t>(size));
    std::memcpy(out, staged_in_.data(), count);
    staged_in_ = staged_in_.subspan(count);
    return static_cast<int>(count);
}

int TlsSession::bio_write(const char* in, int size) {
    const MutableBytes room = stream_->loop().tls_out();
    const auto count = static_cast<std::size_t>(size);  // a record: far less than the room
    if (room.size() - staged_out_ < count) send_staged();
    std::memcpy(room.data() + staged_out_, in, count);
    staged_out_ += count;
    return size;
}

void TlsSession::begin_call() {
    ERR_clear_error();
    received_ = 0;
    staged_in_ = Bytes(kept_in_).subspan(kept_used_);
}

Io TlsSession::end_call() {
    const Io sent = send_staged();
    // What was not taken must survive this call: the loop's buffer is anybody's afterwards.
    const bool from_kept = !kept_in_.empty() && staged_in_.data() >= kept_in_.data() &&
                           staged_in_.data() < kept_in_.data() + kept_in_.size();
    if (staged_in_.empty()) {
        kept_in_ = {};
        kept_used_ = 0;
    } else if (from_kept) {
        kept_used_ = kept_in_.size() - staged_in_.size();
    } else {
        kept_in_.assign(staged_in_.begin(), staged_in_.end());
        kept_used_ = 0;
    }
    staged_in_ = {};
    // SSL_pending: what can be read now. A part of a record does not count: its reader waits for the rest.
    if (!kept_in_.empty() || SSL_pending(ssl_) > 0) stream_->watched().readable = true;
    return sent;
}

Io TlsSession::send_staged() {
    const Bytes staged = Bytes(stream_->loop().tls_out()).first(std::exchange(staged_out_, 0));
    return staged.empty() ? Io::ok : stream_->raw_write(staged);
}

Got TlsSession::read(MutableBytes into) {
    if (peeked_.empty()) return read_new(into);
    const std::size_t count = std::min(into.size(), peeked_.size());
    std::memcpy(into.data(), peeked_.data(), count);
    if (count < peeked_.size())
        peeked_.erase(peeked_.begin(), peeked_.begin() + static_cast<std::ptrdiff_t>(count));
    else
        peeked_ = {};
    stream_->watched().readable = true;  // there may be more behind it, and no edge will tell
    return {Io::ok, count};
}

// OpenSSL shows no more than one record without taking it, so what was looked at is kept here.
Got TlsSession::peek(MutableBytes into) {
    while (peeked_.size() < into.size()) {
        const Got got = read_new(into.subspan(peeked_.size()));
        if (got.io != Io::ok && peeked_.empty()) return got;
        if (got.io != Io::ok) break;
        const Bytes came = Bytes(into).subspan(peeked_.size(), got.bytes);
        peeked_.insert(peeked_.end(), came.begin(), came.end());
    }
    const std::size_t count = std::min(into.size(), peeked_.size());
    std::memcpy(into.data(), peeked_.data(), count);
    return {Io::ok, count};
}

Got TlsSession::read_new(MutableBytes into) {
    begin_call();
    if (!stream_->blocked() && !is_flooded()) messages_ = 0;
    std::size_t filled = 0;
    int result = 1;
    while (filled < into.size()) {
        const int room = static_cast<int>(std::min<std::size_t>(into.size() - filled, INT_MAX));
        result = SSL_read(ssl_, into.data() + filled, room);
        if (result <= 0) break;
        filled += static_cast<std::size_t>(result);
    }
    const int error = result > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, result);
    const bool nothing_but_noise = filled == 0 && received_ >= most_received;
    const Io sent = end_call();
    if (is_flooded() || nothing_but_noise) return {Io::failed};
    if (filled > 0) {
        // The end of the stream, or its failure, is told by the next read.
        if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) stream_->watched().readable = true;
        return {Io::ok, filled};
    }
    // An end without close_notify is an end all the same: half the clients do so. Who must know asks said_goodbye().
    if (error == SSL_ERROR_ZERO_RETURN || (error != SSL_ERROR_WANT_READ && transport_ == Io::eof)) return {Io::eof};
    if (error == SSL_ERROR_WANT_READ && sent == Io::ok) return {Io::again};
    return {Io::failed};
}

Io TlsSession::write(Bytes bytes) {
    begin_call();
    bool broken = false;
    while (!bytes.empty() && !broken) {
        const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
        const int written = SSL_write(ssl_, bytes.data(), size);
        broken = written <= 0;
        if (!broken) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    const Io sent = end_call();
    return broken ? Io::failed : sent;
}

void TlsSession::notify_close() {
    begin_call();
    SSL_shutdown(ssl_);
    end_call();
}

Handshake TlsSession::failure_of(int result) {
    const int error = SSL_get_error(ssl_, result);
    const unsigned long code = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(code);
    const std::string detail = reason == nullptr ? "" : reason;
    const bool from_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
    if (from_ssl && (ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST || ERR_GET_REASON(code) == SSL_R_HTTPS_PROXY_REQUEST)) {
        return {TlsFailure::plain_http, detail};
    }
    if (auto problem = certificate_problem(*ssl_)) return {TlsFailure::certificate, std::move(*problem)};
    if (transport_ == Io::eof || transport_ == Io::failed || error == SSL_ERROR_SYSCALL ||
        error == SSL_ERROR_ZERO_RETURN) {
        return {TlsFailure::closed, detail};
    }
    return {TlsFailure::protocol, detail};
}

Task<Handshake> handshake(Stream& stream, Deadline deadline) {
    for (;;) {
        TlsSession& tls = *stream.tls();
        tls.begin_call();
        const int result = SSL_do_handshake(tls.ssl_);
        tls.messages_ = 0;
        const int error = SSL_get_error(tls.ssl_, result);
        Handshake failure;
        if (result != 1 && error != SSL_ERROR_WANT_READ) failure = tls.failure_of(result);
        const Io sent = tls.end_call();
        if (failure.failure != TlsFailure::none) co_return failure;
        if (sent == Io::failed) co_return Handshake{TlsFailure::closed, std::strerror(stream.error())};
        // Our last message must be on its way, or the peer be past it: a caller that now only reads would never send
        // the rest.
        if (result == 1 && (!stream.blocked() || stream.watched().readable)) co_return Handshake{};
        const Wait waited =
            co_await WaitAny<2>(deadline, {{{&stream.watched(), Interest::read},
                                            {&stream.watched(), stream.blocked() ? Interest::write : Interest::read}}});
        if (waited == Wait::timeout) co_return Handshake{TlsFailure::timeout, "no whole handshake in time"};
        if (waited == Wait::cancelled) co_return Handshake{TlsFailure::cancelled, ""};
        if (stream.blocked() && stream.flush() == Io::failed)
            co_return Handshake{TlsFailure::closed, std::strerror(stream.error())};
    }
}

}  // namespace sallyport::io
