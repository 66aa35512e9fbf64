#include "io/bio_method.hpp"

#include <openssl/bio.h>

namespace sallyport::io {

namespace {

// BIO_CTRL_EOF is not answered: told of an end without close_notify, OpenSSL would also refuse to write from then on.
long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace

BioMethod::BioMethod(const char* name, int (*read)(bio_st*, char*, int), int (*write)(bio_st*, const char*, int))
    : method_(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name), &BIO_meth_free) {
    BIO_meth_set_read(method_.get(), read);
    BIO_meth_set_write(method_.get(), write);
    BIO_meth_set_ctrl(method_.get(), control);
}

bio_st* BioMethod::new_bio(void* data) const {
    BIO* bio = BIO_new(method_.get());
    BIO_set_data(bio, data);
    BIO_set_init(bio, 1);
    return bio;
}

}  // namespace sallyport::io
