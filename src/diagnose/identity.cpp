#include "diagnose/identity.hpp"

#include "base/text.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/message.hpp"

#include "diagnose/glance/stun.hpp"
#include "wire/h323/call.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"
#include "wire/h323/tpkt.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t longest = 256;  // bytes of a value that are compared
constexpr std::size_t shortest = 4;  // less says nothing of who it is
constexpr std::size_t searched = 4096;  // bytes of a message

struct Mark {
    std::string_view text;  // in lower case; stands before the value
    std::string_view kind;
    bool header;  // a header field: the value goes to the end of the line
    bool secret;
    bool shared;
};
constexpr std::string_view digest = "digest ";  // an answer to a challenge (RFC 7616), another one each time

// The first that is there counts.
constexpr std::array marks{
    Mark{"\nauthorization:", "Authorization", true, true, false},
    Mark{"\ncookie:", "Cookie", true, true, false},
    Mark{"\ncall-id:", "Call-ID", true, false, false},
    Mark{"token=", "token", false, false, false},
    Mark{"session=", "session", false, true, false},
    Mark{"device=", "device", false, false, false},
    Mark{"username=", "username", false, false, true},
    Mark{"user=", "user", false, false, true},
    Mark{"login=", "login", false, false, true},
    Mark{"imei=", "imei", false, false, false},
    Mark{"serial=", "serial", false, false, false},
};

bool is_text(std::string_view bytes) {
    return std::ranges::all_of(bytes.substr(0, 64),
                               [](char c) { return (c >= ' ' && c <= '~') || c == '\r' || c == '\n' || c == '\t'; });
}

std::string_view value_at(std::string_view text, std::size_t at, bool header) {
    const auto end = text.find_first_of(header ? "\r\n" : "\r\n \t&;\"',", at);
    return trim(text.substr(at, std::min(end - at, longest)));
}

std::optional<Identity> in_text(std::string_view text) {
    const std::string lower = to_lower(text);
    for (const Mark& mark : marks) {
        const auto at = lower.find(mark.text);
        if (at == std::string::npos) continue;
        const auto value = value_at(text, at + mark.text.size(), mark.header);
        if (value.size() < shortest || to_lower(value.substr(0, digest.size())) == digest) continue;
        return Identity{
            .kind = std::string(mark.kind), .value = std::string(value), .secret = mark.secret, .shared = mark.shared};
    }
    return std::nullopt;
}

std::optional<Identity> in_ldap(Bytes bytes) {
    ldap::MessageHead head;
    if (ldap::read_message_head(bytes, ldap::Sender::client, head).state != ldap::MessageResult::State::complete)
        return std::nullopt;
    if (head.op != ldap::op::bind_request) return std::nullopt;
    const auto bind = ldap::read_bind_request(head.operation);
    if (!bind || bind->name.size() < shortest) return std::nullopt;
    return Identity{.kind = "bind DN", .value = std::string(bind->name.substr(0, longest)), .shared = true};
}

// The name under which an endpoint registers, in a RegistrationRequest on the call signaling connection (H.460.17).
std::optional<Identity> in_h323(Bytes bytes) {
    const auto frame = h323::read_tpkt(bytes);
    if (!frame || !*frame || (*frame)->length > bytes.size()) return std::nullopt;
    h323::Q931Message message;
    if (!h323::read_q931(bytes.first((*frame)->length).subspan(h323::tpkt_header), message) || !message.h225)
        return std::nullopt;
    const auto information = h323::read_user_information(*message.h225);
    if (!information) return std::nullopt;
    for (const Bytes encoding : information->ras) {
        h323::RasMessage ras;
        if (!h323::read_ras(encoding, ras) || ras.kind != h323::ras::registration_request) continue;
        for (const auto& alias : ras.aliases) {
            if (!alias.text.empty()) return Identity{.kind = "H.323 alias", .value = alias.text.substr(0, longest)};
        }
    }
    return std::nullopt;
}

// Who asks a TURN server; the checks of ICE go to and from many addresses. An account may serve several devices, but
// names that are made for a time (of the form "time:user") serve one.
std::optional<Identity> in_stun(Bytes bytes) {
    const auto message = glance_stun(bytes);
    if (!message || message->kind != StunGlance::Class::request || message->is_check || message->username.empty())
        return std::nullopt;
    const auto colon = message->username.find(':');
    const bool for_a_time =
        colon != std::string::npos && colon >= 9 &&
        std::ranges::all_of(message->username.substr(0, colon), [](char c) { return c >= '0' && c <= '9'; });
    return Identity{.kind = "TURN user", .value = message->username, .shared = !for_a_time};
}

}  // namespace

Identity secret_identity(std::string kind, std::string_view value) {
    return {.kind = std::move(kind),
            .value = std::to_string(std::hash<std::string_view>()(value)) + " " + std::to_string(value.size()),
            .secret = true};
}

std::optional<Identity> find_identity(Bytes first_payload) {
    if (first_payload.empty()) return std::nullopt;
    const auto first = std::to_integer<unsigned>(first_payload[0]);
    if (first == 3) return in_h323(first_payload);
    if (first < 3) return in_stun(first_payload);
    const auto text = as_text(first_payload.first(std::min(first_payload.size(), searched)));
    if (is_text(text)) return in_text(text);
    return in_ldap(first_payload);
}

}  // namespace sallyport::diagnose
