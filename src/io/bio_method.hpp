// How OpenSSL reads and writes by functions of ours. Internal to io/: TLS and DTLS both do.
#pragma once

#include <memory>

struct bio_method_st;
struct bio_st;

namespace sallyport::io {

/// A table of functions, the same for all BIOs that are made by it, and alive as long as they are.
class BioMethod {
public:
    /// @param read, write  as BIO_meth_set_read() and BIO_meth_set_write() take them
    BioMethod(const char* name, int (*read)(bio_st*, char*, int), int (*write)(bio_st*, const char*, int));

    /// @param data  what BIO_get_data() gives back
    bio_st* new_bio(void* data) const;

private:
    std::unique_ptr<bio_method_st, void (*)(bio_method_st*)> method_;
};

}  // namespace sallyport::io
