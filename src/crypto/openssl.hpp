// Owning pointers for OpenSSL's objects, for the rooms that use it (crypto/, io/, certs/), and its words for errors.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

namespace sallyport::crypto {

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const {
        release(object);
    }
};

using BioPtr = std::unique_ptr<BIO, Release<BIO_free_all>>;
using X509Ptr = std::unique_ptr<X509, Release<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, Release<GENERAL_NAMES_free>>;

/// A BIO that reads `text`, which must outlive it.
BioPtr bio_over(std::string_view text);

/// What a memory BIO holds.
std::string text_of(BIO& bio);

/// OpenSSL's reason for this thread's last failure; clears the thread's error queue.
std::string last_error();

}  // namespace sallyport::crypto
