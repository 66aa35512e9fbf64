#include "generator/hello.hpp"

#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>

namespace sallyport::bench {

namespace {

struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};

}  // namespace

// A handshake whose other side is memory: what OpenSSL has written when it first waits is the ClientHello.
std::string client_hello(const std::string& server_name) {
    const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
    const std::unique_ptr<SSL, Free> ssl(context ? SSL_new(context.get()) : nullptr);
    if (!ssl) throw std::runtime_error("OpenSSL gives no client");
    BIO* const sent = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), sent);  // takes both over
    SSL_set_tlsext_host_name(ssl.get(), server_name.c_str());
    SSL_connect(ssl.get());
    const char* text = nullptr;
    const long size = BIO_get_mem_data(sent, &text);
    if (size <= 0) throw std::runtime_error("OpenSSL made no ClientHello");
    return {text, static_cast<std::size_t>(size)};
}

std::string_view server_hello() {
    static const std::string text = [] {
        using namespace std::string_literals;
        const std::string random(32, 'r');
        const std::string key(32, 'k');
        const std::string versions = "\x00\x2b\x00\x02\x03\x04"s;
        const std::string key_share = "\x00\x33\x00\x24\x00\x1d\x00\x20"s + key;
        const std::string head = "\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03"s;  // record of 90, message of 86 bytes
        const std::string no_session = "\x00"s;
        const std::string cipher_and_no_compression = "\x13\x01\x00"s;
        const std::string extensions = "\x00\x2e"s + versions + key_share;
        return head + random + no_session + cipher_and_no_compression + extensions;
    }();
    return text;
}

}  // namespace sallyport::bench
