#include "wire/sip/credentials.hpp"

#include "base/text.hpp"
#include "wire/sip/text.hpp"

#include <algorithm>

namespace sallyport::sip {

namespace {

struct Named {
    std::string_view name;
    std::string_view value;  // without its quotes
};

// One "name=value" or "Scheme name=value" of a challenge or of an answer to it.
std::optional<Named> read_member(std::string_view member) {
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    std::string_view name = trim_white(member.substr(0, equals));
    name = name.substr(name.find_last_of(" \t\r\n") + 1);  // behind the scheme
    std::string_view value = trim_white(member.substr(equals + 1));
    if (quoted_size(value) == value.size() && value.size() >= 2) value = value.substr(1, value.size() - 2);
    return Named{name, value};
}

bool says_stale(std::string_view member) {
    const auto named = read_member(member);
    return named && equals_ignoring_case(named->name, "stale") && equals_ignoring_case(named->value, "true");
}

bool is_credentials(const Field& field) {
    return field.kind == FieldKind::authorization || field.kind == FieldKind::proxy_authorization;
}

std::string who_and_nonce(std::string_view value) {
    std::string who;
    std::string_view list = value;
    while (const auto member = next_member(list)) {
        const auto named = read_member(*member);
        if (!named) continue;
        const bool tells = equals_ignoring_case(named->name, "username") || equals_ignoring_case(named->name, "nonce");
        if (tells) who += to_lower(named->name) + '\x01' + std::string(named->value) + '\x02';
    }
    return who.empty() ? std::string(value) + '\x02' : who;
}

bool any_member(std::string_view list, bool (*holds)(std::string_view)) {
    while (const auto member = next_member(list)) {
        if (holds(*member)) return true;
    }
    return false;
}

}  // namespace

bool has_credentials(const Message& request) { return std::ranges::any_of(request.fields, is_credentials); }

std::string presented(const Message& request) {
    std::string out;
    for (const Field& field : request.fields) {
        if (is_credentials(field)) out += who_and_nonce(field.value);
    }
    if (out.size() > max_presented) return std::string(too_long_to_know);
    return out;
}

bool is_stale(const Message& response) {
    return std::ranges::any_of(response.fields, [](const Field& field) {
        const bool challenge = field.kind == FieldKind::www_authenticate || field.kind == FieldKind::proxy_authenticate;
        return challenge && any_member(field.value, says_stale);
    });
}

}  // namespace sallyport::sip
