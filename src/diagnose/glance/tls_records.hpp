// The records of one direction of a TLS connection, as far as they are in clear: what kind of message comes, and
// alerts. Bytes come in order; after a gap nothing more is known.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::diagnose {

struct TlsAlert {
    std::uint8_t level = 0;  // 1 warning, 2 fatal
    std::uint8_t description = 0;

    bool closes() const { return description == 0 || description == 90; }  // close_notify, user_canceled
};

/// RFC 8446 section 6, RFC 5246 section 7.2: "protocol_version"; empty: not known.
std::string_view alert_name(std::uint8_t description);

class TlsRecords {
public:
    /// The next bytes of this direction. Answers an alert in clear that ends in them.
    std::optional<TlsAlert> feed(Bytes bytes);
    void lose_track() { lost_ = true; }

    bool any() const { return any_; }  // a record of TLS has come
    bool hello() const { return hello_; }  // a ServerHello or ClientHello has come
    bool certificate() const { return certificate_; }  // a Certificate has come in clear
    bool encrypted() const { return encrypted_; }

private:
    void begin_record();

    std::array<std::uint8_t, 7> head_{};  // the record's head, and the first two bytes of its content
    std::uint8_t filled_ = 0;
    std::uint32_t left_ = 0;  // bytes of the record's content still to come
    bool any_ = false, hello_ = false, certificate_ = false, encrypted_ = false, lost_ = false;
};

}  // namespace sallyport::diagnose
