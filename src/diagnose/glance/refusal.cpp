#include "diagnose/glance/refusal.hpp"

#include "wire/h323/call.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"
#include "wire/h323/tpkt.hpp"
#include "wire/ldap/message.hpp"
#include "wire/ldap/result.hpp"
#include "wire/sip/message.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

// What an endpoint that lost its registration is told, so that it registers anew.
constexpr std::array<std::string_view, 3> everyday_rejects{"discoveryRequired", "fullRegistrationRequired",
                                                           "registerWithAssignedGK"};

std::optional<Refusal> in_ras(Bytes encoding) {
    h323::RasMessage message;
    if (!h323::read_ras(encoding, message) || !message.is_reject()) return std::nullopt;
    const auto reason = h323::reject_reason_name(message);
    if (std::ranges::count(everyday_rejects, reason) > 0) return std::nullopt;
    std::string words(h323::ras_name(message.kind));
    if (!reason.empty()) words += " " + std::string(reason);
    const bool redirects = !message.alternates.empty();
    if (redirects) words += ", and names another gatekeeper";
    return Refusal{
        .protocol = "ras", .code = message.reject_reason.value_or(0), .words = std::move(words), .serious = !redirects};
}

std::optional<Refusal> in_q931(Bytes bytes) {
    h323::Q931Message message;
    if (!h323::read_q931(bytes, message)) return std::nullopt;
    const auto information =
        message.h225 ? h323::read_user_information(*message.h225) : Result<h323::UserInformation, h323::ReadError>{};
    if (information) {
        for (const Bytes ras : information->ras) {
            if (auto refusal = in_ras(ras)) return refusal;
        }
    }
    if (message.type != h323::q931::release_complete || !message.cause) return std::nullopt;
    if (is_one_of(everyday_causes, *message.cause)) return std::nullopt;
    std::string words = "cause";
    if (information && information->release_reason)
        words += ", " + std::string(h323::release_reason_name(*information->release_reason));
    return Refusal{.protocol = "h225", .code = *message.cause, .words = std::move(words), .serious = true};
}

// TPKT (RFC 1006 section 6) around Q.931, in which are H.225.0 and, with H.460.17, RAS.
std::optional<Refusal> in_h225(Bytes payload) {
    constexpr int most = 16;  // messages of a segment
    for (int read = 0; read < most; ++read) {
        const auto frame = h323::read_tpkt(payload);
        if (!frame || !*frame || (*frame)->length > payload.size()) return std::nullopt;
        const std::size_t length = (*frame)->length;
        if (auto refusal = in_q931(payload.first(length).subspan(h323::tpkt_header))) return refusal;
        payload = payload.subspan(length);
    }
    return std::nullopt;
}

}  // namespace

std::optional<Refusal> glance_refusal(Bytes payload, bool to_or_from_gatekeeper) {
    if (payload.size() < 7) return std::nullopt;
    if (to_or_from_gatekeeper) return in_ras(payload);
    if (as_text(payload).starts_with("SIP/2.0 ")) return in_sip(payload);
    switch (std::to_integer<unsigned>(payload[0])) {
        case 0x30: return in_ldap(payload);
        case 0x03: return in_h225(payload);
        default: return std::nullopt;
    }
}

}  // namespace sallyport::diagnose
