#include "io/tls_bio.hpp"

#include "io/tls.hpp"

#include <openssl/bio.h>

#include <memory>

namespace sallyport::io {

namespace {

int read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    const int count = session_of(*bio).bio_read(out, size);
    if (count < 0) BIO_set_retry_read(bio);
    return count;
}

int write(BIO* bio, const char* in, int size) {
    BIO_clear_retry_flags(bio);
    return session_of(*bio).bio_write(in, size);
}

// BIO_CTRL_EOF is not answered: told of an end without close_notify, OpenSSL would also refuse to write from then on.
long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using Method = std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>;

Method make_method() {
    Method method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sallyport"), &BIO_meth_free);
    BIO_meth_set_read(method.get(), read);
    BIO_meth_set_write(method.get(), write);
    BIO_meth_set_ctrl(method.get(), control);
    return method;
}

}  // namespace

bio_st* new_tls_bio(TlsSession& session) {
    static const Method method = make_method();  // a table of functions, the same for all
    BIO* bio = BIO_new(method.get());
    BIO_set_data(bio, &session);
    BIO_set_init(bio, 1);
    return bio;
}

TlsSession& session_of(bio_st& bio) { return *static_cast<TlsSession*>(BIO_get_data(&bio)); }

}  // namespace sallyport::io
