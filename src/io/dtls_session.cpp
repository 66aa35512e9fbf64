// One association, on either side: OpenSSL over a BIO of single datagrams.
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

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using Method = std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>;

Method make_method() {
    Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport datagrams"), &BIO_meth_free);
    BIO_meth_set_read(method.get(), read);
    BIO_meth_set_write(method.get(), write);
    BIO_meth_set_ctrl(method.get(), control);
    return method;
}

}  // namespace

DtlsWire& wire_of(bio_st& bio) { return *static_cast<DtlsWire*>(BIO_get_data(&bio)); }

bio_st* new_dtls_bio(DtlsWire& wire) {
    static const Method method = make_method();
    BIO* bio = BIO_new(method.get());
    BIO_set_data(bio, &wire);
    BIO_set_init(bio, 1);
    return bio;
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
