#include "diagnose/glance/refusal.hpp"

#include "wire/ldap/message.hpp"
#include "wire/ldap/result.hpp"
#include "wire/sip/message.hpp"

#include <algorithm>
#include <array>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t longest_words = 100;  // bytes kept

// Challenges, negotiations of time and ends of calls: these belong to calls and registrations that are well.
constexpr std::array everyday_status{401, 407, 408, 422, 423, 480, 486, 487, 491, 494, 600, 603};
constexpr std::array serious_status{403, 488, 500, 502, 503, 504, 513, 606};
constexpr std::array everyday_causes{16, 17, 18, 19, 31};  // cleared, busy, no answer

template <std::size_t n>
bool is_one_of(const std::array<int, n>& list, int value) {
    return std::ranges::count(list, value) > 0;
}

std::optional<Refusal> in_sip(Bytes payload) {
    sip::Message message;
    if (!sip::parse_message(payload, message).complete() || !message.is_response()) return std::nullopt;
    if (message.status < 400 || is_one_of(everyday_status, message.status)) return std::nullopt;
    return Refusal{.protocol = "sip",
                   .code = message.status,
                   .words = std::string(message.reason.substr(0, longest_words)),
                   .serious = is_one_of(serious_status, message.status)};
}

std::optional<Refusal> in_ldap(Bytes payload) {
    ldap::MessageHead head;
    const auto read = ldap::read_message_head(payload, ldap::Sender::server, head);
    if (read.state != ldap::MessageResult::State::complete || head.op != ldap::op::bind_response) return std::nullopt;
    const auto result = ldap::read_result(head.operation);
    if (!result || result->code == ldap::code::success || result->code == ldap::code::sasl_bind_in_progress)
        return std::nullopt;
    return Refusal{.protocol = "ldap",
                   .code = result->code,
                   .words = std::string(ldap::result_name(result->code)),
                   .serious = true};
}

// TPKT (RFC 1006 section 6) around Q.931: discriminator 8, a call reference of two bytes, RELEASE COMPLETE, and in its
// elements the cause.
std::optional<Refusal> in_h225(Bytes payload) {
    constexpr std::uint8_t discriminator = 8, release_complete = 0x5A, cause = 8;
    ByteReader reader(payload);
    const auto version = reader.u16(), length = reader.u16();
    const auto first = reader.u8(), reference = reader.u8();
    if (!reference || *version != 0x0300 || *length > payload.size() || *first != discriminator || *reference != 2)
        return std::nullopt;
    const auto value = reader.u16();
    const auto type = reader.u8();
    if (!value || !type || *type != release_complete) return std::nullopt;
    const auto element = reader.u8(), size = reader.u8();
    const auto content = size ? reader.take(*size) : std::nullopt;
    if (!content || *element != cause || content->size() < 2) return std::nullopt;
    const int code = std::to_integer<int>((*content)[1]) & 0x7F;
    if (is_one_of(everyday_causes, code)) return std::nullopt;
    return Refusal{.protocol = "h225", .code = code, .words = "cause", .serious = true};
}

}  // namespace

std::optional<Refusal> glance_refusal(Bytes payload) {
    if (payload.size() < 7) return std::nullopt;
    if (as_text(payload).starts_with("SIP/2.0 ")) return in_sip(payload);
    switch (std::to_integer<unsigned>(payload[0])) {
        case 0x30: return in_ldap(payload);
        case 0x03: return in_h225(payload);
        default: return std::nullopt;
    }
}

}  // namespace sallyport::diagnose
