#include "crypto/openssl.hpp"

#include <openssl/err.h>

#include <limits>
#include <new>
#include <stdexcept>

namespace sallyport::crypto {

BioPtr bio_over(std::string_view text) {
    if (text.size() > std::size_t{std::numeric_limits<int>::max()}) throw std::length_error("text too long for a BIO");
    BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    if (!bio) throw std::bad_alloc();
    return bio;
}

std::string text_of(BIO& bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(&bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::string last_error() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string text = reason == nullptr ? "unknown OpenSSL error" : reason;
    ERR_clear_error();
    return text;
}

}  // namespace sallyport::crypto
