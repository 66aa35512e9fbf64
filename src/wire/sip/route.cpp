#include "wire/sip/route.hpp"

#include "wire/sip/text.hpp"
#include "wire/sip/uri.hpp"

#include <array>
#include <utility>

namespace sallyport::sip {

namespace {

constexpr std::string_view anonymous_host = "anonymous.invalid";

constexpr std::array<std::string_view, 6> texts = {
    "no From field",
    "more than one From field",
    "the From field is not an address",
    "the From field has a telephone number, which belongs to no domain",
    "the From field is anonymous",
    "the From field has a URI that is neither sip nor sips",
};
static_assert(std::to_underlying(NoName::other_scheme) + 1 == texts.size());

}  // namespace

std::string_view text(NoName why) { return texts[std::to_underlying(why)]; }

Result<RouteName, NoName> route_name(const Message& message) {
    const Field* from = find(message.fields, FieldKind::from);
    if (from == nullptr) return fail(NoName::missing);
    if (count(message.fields, FieldKind::from) > 1) return fail(NoName::several);
    Address address;
    if (!parse_address(from->value, address)) return fail(NoName::malformed);
    switch (address.uri.scheme) {
        case Scheme::tel: return fail(NoName::tel);
        case Scheme::other: return fail(NoName::other_scheme);
        default: break;
    }
    if (address.uri.host.text() == anonymous_host) return fail(NoName::anonymous);
    return RouteName{.host = address.uri.host, .secure = address.uri.scheme == Scheme::sips};
}

// No quote and no bracket can stand in such a tail, so that whatever reads the front ends as it would without it.
std::string_view without_tag(std::string_view from) {
    constexpr std::string_view begins = ";tag=";
    const std::size_t end = from.rfind('>') + 1;
    const std::string_view tail = from.substr(end);
    if (end == 0 || !tail.starts_with(begins) || tail.size() == begins.size()) return {};
    return is_all(token_set, tail.substr(begins.size())) ? from.substr(0, end) : std::string_view();
}

bool is_within_dialog(const Message& request) {
    const Field* to = find(request.fields, FieldKind::to);
    if (to == nullptr || !to->value.contains(';')) return false;  // most that open a connection: no parameters at all
    Address address;
    return parse_address(to->value, address) && !address.tag.empty();
}

}  // namespace sallyport::sip
