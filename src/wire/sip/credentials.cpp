#include "wire/sip/credentials.hpp"

#include "base/text.hpp"
#include "wire/sip/text.hpp"

#include <algorithm>

namespace sallyport::sip {

namespace {

// One "name=value" or "Scheme name=value" of a challenge.
bool says_stale(std::string_view member) {
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return false;
    std::string_view name = trim_white(member.substr(0, equals));
    name = name.substr(name.find_last_of(" \t\r\n") + 1);  // behind the scheme
    std::string_view value = trim_white(member.substr(equals + 1));
    if (quoted_size(value) == value.size() && value.size() >= 2) value = value.substr(1, value.size() - 2);
    return equals_ignoring_case(name, "stale") && equals_ignoring_case(value, "true");
}

bool any_member(std::string_view list, bool (*holds)(std::string_view)) {
    while (const auto member = next_member(list)) {
        if (holds(*member)) return true;
    }
    return false;
}

}  // namespace

bool has_credentials(const Message& request) {
    return find(request.fields, FieldKind::authorization) != nullptr ||
           find(request.fields, FieldKind::proxy_authorization) != nullptr;
}

bool is_stale(const Message& response) {
    return std::ranges::any_of(response.fields, [](const Field& field) {
        const bool challenge = field.kind == FieldKind::www_authenticate || field.kind == FieldKind::proxy_authenticate;
        return challenge && any_member(field.value, says_stale);
    });
}

}  // namespace sallyport::sip
