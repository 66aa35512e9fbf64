// The handshake messages of one direction of a TLS connection, as long as they are in clear: the ClientHello, and the
// certificate that up to TLS 1.2 either side shows without encryption.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sallyport::diagnose {

inline constexpr std::size_t max_handshake_bytes = 8 * 1024;  // kept until a message is whole

class TlsMessages {
public:
    /// The next bytes of handshake records.
    void feed(Bytes content);
    /// Nothing more is of use.
    void stop();
    bool stopped() const { return stopped_; }

    /// The first certificate of a Certificate message (RFC 5246 section 7.4.2), once it is whole. Until the next call
    /// of feed() or stop().
    std::optional<Bytes> certificate() const;
    /// The body of a ClientHello, likewise.
    std::optional<Bytes> client_hello() const;
    /// Steps over the message at the front where it is whole. False: it is not.
    bool next();

private:
    std::string bytes_;
    bool stopped_ = false;
};

/// What a client of TLS may say again on another connection: a session ticket (RFC 5077), the identity of a key that
/// was agreed on before (RFC 8446 section 4.2.11), or a session id. Empty: nothing of that.
struct Resumption {
    std::string kind;
    std::string value;
};
std::optional<Resumption> resumption_in(Bytes client_hello);

}  // namespace sallyport::diagnose
