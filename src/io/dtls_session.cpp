// One association, on either side: OpenSSL over a BIO of single datagrams.
#include "io/bio_method.hpp"
#include "io/dtls.hpp"
#include "io/dtls_wire.hpp"
#include "io/tls_credentials.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sallyport::io {

namespace {

constexpr long handshake_mtu = 1200;  // bytes of a datagram of ours: what no path is too narrow for

// A datagram is read whole or not at all, and what does not fit is lost, as with a socket.
int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    const Bytes in = std::exchange(wire_of(*bio).in, {});
    if (in.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    const std::size_t count = std::min(in.size(), static_cast<std::size_t>(size));
    std::memcpy(out, in.data(), count);
    return static_cast<int>(count);
}

int write(BIO* bio, const char* in, int size) {
    BIO_clear_retry_flags(bio);
    const DtlsWire& wire = wire_of(*bio);
    if (wire.send != nullptr) (*wire.send)(std::as_bytes(std::span(in, static_cast<std::size_t>(size))));
    return size;
}

}  // namespace

DtlsWire& wire_of(bio_st& bio) { return *static_cast<DtlsWire*>(BIO_get_data(&bio)); }

bio_st* new_dtls_bio(DtlsWire& wire) {
    static const BioMethod method("sallyport datagrams", read, write);
    return method.new_bio(&wire);
}

DtlsSession::DtlsSession(ssl_st* ssl, std::shared_ptr<const void> contexts)
    : contexts_(std::move(contexts)), wire_(std::make_unique<DtlsWire>()), ssl_(ssl) {
    BIO* bio = new_dtls_bio(*wire_);
    SSL_set_bio(ssl_, bio, bio);  // owned by ssl_ from here
    SSL_set_mtu(ssl_, handshake_mtu);
}

DtlsSession::~DtlsSession() { SSL_free(ssl_); }

void DtlsSession::receive(Bytes datagram, const Send& send, const std::function<void(Bytes data)>& take) {
    if (state_ == State::ended) return;
    ERR_clear_error();
    wire_->in = datagram;
    wire_->send = &send;
    if (state_ == State::shaking) shake_hands();
    std::array<std::byte, most_data> room;
    while (state_ == State::open) {
        const int size = SSL_read(ssl_, room.data(), static_cast<int>(room.size()));
        if (size <= 0) {
            if (SSL_get_error(ssl_, size) != SSL_ERROR_WANT_READ) state_ = State::ended;
            break;
        }
        take(Bytes(room).first(static_cast<std::size_t>(size)));
        wire_->send = &send;  // taking may have written, and so ended a call of its own
    }
    *wire_ = {.client = wire_->client};
}

void DtlsSession::shake_hands() {
    const int result = SSL_do_handshake(ssl_);
    if (result == 1)
        state_ = State::open;
    else if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ)
        give_up();
}

void DtlsSession::give_up() {
    state_ = State::ended;
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    problem_ = certificate_problem(*ssl_).value_or(reason == nullptr ? "" : reason);
}

void DtlsSession::write(Bytes data, const Send& send) {
    if (state_ != State::open || data.empty() || data.size() > most_data) return;
    ERR_clear_error();
    wire_->send = &send;
    SSL_write(ssl_, data.data(), static_cast<int>(data.size()));
    wire_->send = nullptr;
}

void DtlsSession::tick(const Send& send) {
    if (state_ != State::shaking) return;
    ERR_clear_error();
    wire_->send = &send;
    if (DTLSv1_handle_timeout(ssl_) < 0) give_up();
    wire_->send = nullptr;
}

void DtlsSession::end(const Send& send) {
    if (state_ != State::open) return;
    ERR_clear_error();
    wire_->send = &send;
    SSL_shutdown(ssl_);
    wire_->send = nullptr;
    state_ = State::ended;
}

}  // namespace sallyport::io
