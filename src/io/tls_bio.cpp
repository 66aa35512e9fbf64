#include "io/tls_bio.hpp"

#include "io/bio_method.hpp"
#include "io/tls.hpp"

#include <openssl/bio.h>

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

}  // namespace

bio_st* new_tls_bio(TlsSession& session) {
    static const BioMethod method("sallyport", read, write);
    return method.new_bio(&session);
}

TlsSession& session_of(bio_st& bio) { return *static_cast<TlsSession*>(BIO_get_data(&bio)); }

}  // namespace sallyport::io
