#include "diagnose/identity.hpp"

#include "base/text.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/message.hpp"

#include <algorithm>
#include <array>
#include <string_view>

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
        if (value.size() < shortest) continue;
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

}  // namespace

std::optional<Identity> find_identity(Bytes first_payload) {
    const auto text = as_text(first_payload.first(std::min(first_payload.size(), searched)));
    if (is_text(text)) return in_text(text);
    return in_ldap(first_payload);
}

}  // namespace sallyport::diagnose
