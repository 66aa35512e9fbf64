// The records of one direction of a TLS connection, as far as they are in clear: what kind of message comes, and
// alerts. Bytes come in order; after a gap nothing more is known.
#pragma once

#include "base/bytes.hpp"
#include "diagnose/glance/tls_messages.hpp"

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
    /// @param messages  is given what is in the records of the handshake, as long as it is in clear.
    std::optional<TlsAlert> feed(Bytes bytes, TlsMessages& messages);
    void lose_track() { lost_ = true; }

    bool any() const { return any_; }  // a record of TLS has come
    bool encrypted() const { return encrypted_; }

private:
    void begin_record();

    std::array<std::uint8_t, 7> head_{};  // the record's head, and the first two bytes of its content
    std::uint8_t filled_ = 0;
    std::uint32_t left_ = 0;  // bytes of the record's content still to come
    bool any_ = false, encrypted_ = false, lost_ = false;
};

}  // namespace sallyport::diagnose
