#include "diagnose/glance/tls_records.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr std::uint8_t change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23;
constexpr std::size_t head_size = 5;  // bytes
constexpr std::uint32_t max_record = (1U << 14) + 2048;

struct Name {
    std::uint8_t description;
    std::string_view name;
};
constexpr std::array names{
    Name{0, "close_notify"},
    Name{10, "unexpected_message"},
    Name{20, "bad_record_mac"},
    Name{40, "handshake_failure"},
    Name{42, "bad_certificate"},
    Name{43, "unsupported_certificate"},
    Name{44, "certificate_revoked"},
    Name{45, "certificate_expired"},
    Name{46, "certificate_unknown"},
    Name{47, "illegal_parameter"},
    Name{48, "unknown_ca"},
    Name{49, "access_denied"},
    Name{50, "decode_error"},
    Name{51, "decrypt_error"},
    Name{70, "protocol_version"},
    Name{71, "insufficient_security"},
    Name{80, "internal_error"},
    Name{86, "inappropriate_fallback"},
    Name{90, "user_canceled"},
    Name{109, "missing_extension"},
    Name{112, "unrecognized_name"},
    Name{113, "bad_certificate_status_response"},
    Name{115, "unknown_psk_identity"},
    Name{116, "certificate_required"},
    Name{120, "no_application_protocol"},
};

}  // namespace

std::string_view alert_name(std::uint8_t description) {
    const auto found = std::ranges::find(names, description, &Name::description);
    return found == names.end() ? std::string_view() : found->name;
}

void TlsRecords::begin_record() {
    const std::uint8_t type = head_[0];
    if (type < change_cipher_spec || type > application_data || head_[1] != 3 || left_ > max_record) {
        lost_ = true;
        return;
    }
    any_ = true;
    // What follows a ChangeCipherSpec is encrypted, whatever its type says; TLS 1.3 sends one for show.
    if (type == change_cipher_spec || type == application_data) encrypted_ = true;
}

std::optional<TlsAlert> TlsRecords::feed(Bytes bytes, TlsMessages& messages) {
    std::optional<TlsAlert> out;
    while (!bytes.empty() && !lost_ && !encrypted_) {
        const bool in_head = filled_ < head_size;
        const bool peeks = !in_head && filled_ < head_.size() && left_ > 0;
        if (in_head || peeks) {
            head_[filled_++] = std::to_integer<std::uint8_t>(bytes[0]);
            if (peeks && head_[0] == handshake) messages.feed(bytes.first(1));
            bytes = bytes.subspan(1);
            if (filled_ == head_size) {
                left_ = static_cast<std::uint32_t>(head_[3] << 8 | head_[4]);
                begin_record();
            } else if (peeks) {
                --left_;
                // In clear an alert has two bytes; encrypted, more.
                if (filled_ == head_.size() && head_[0] == alert && left_ == 0) out = TlsAlert{head_[5], head_[6]};
            }
        } else {
            const auto part = std::min<std::size_t>(left_, bytes.size());
            if (head_[0] == handshake) messages.feed(bytes.first(part));
            left_ -= static_cast<std::uint32_t>(part);
            bytes = bytes.subspan(part);
        }
        if (filled_ >= head_size && left_ == 0) filled_ = 0;
    }
    return out;
}

}  // namespace sallyport::diagnose
