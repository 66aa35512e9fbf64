#include "gate/sip/asked.hpp"

#include "base/text.hpp"
#include "wire/sip/uri.hpp"

namespace sallyport::gate::sip {

using namespace sallyport::sip;

namespace {

constexpr std::string_view secure_scheme = "sips:";

bool fits(const ShownCertificate& shown, const Message& request, FieldKind kind) {
    const Field* field = find(request.fields, kind);
    Address address;
    return field != nullptr && parse_address(field->value, address) &&
           shown.is_for(address.uri.user, address.uri.host.text());
}

}  // namespace

bool Asked::malformed() const {
    return none == NoName::missing || none == NoName::several || none == NoName::malformed;
}

bool is_to_secure(const Message& request) {
    return equals_ignoring_case(request.request_uri.substr(0, secure_scheme.size()), secure_scheme);
}

Asked read_asked(const Message& request) {
    Asked asked;
    if (const Field* from = find(request.fields, FieldKind::from)) asked.from = from->value;
    const auto name = route_name(request);
    if (name)
        asked.domain = name->host;
    else
        asked.none = name.error();
    asked.secure = (name && name->secure) || is_to_secure(request);
    return asked;
}

Ask ask_of(const Asked& asked, const Message& request, const IpAddress& client, bool tls, const ShownCertificate* shown,
           WallTime now) {
    Ask ask{.protocol = config::Protocol::sip, .name = asked.domain.text(), .client = client, .tls = tls};
    ask.secure = asked.secure;
    if (shown == nullptr) return ask;
    ask.certificate = shown->verdict(now);
    ask.certificate_fits = certificate_fits(*shown, request);
    return ask;
}

bool certificate_fits(const ShownCertificate& shown, const Message& request) {
    return fits(shown, request, FieldKind::from) &&
           (request.method != "REGISTER" || fits(shown, request, FieldKind::to));
}

}  // namespace sallyport::gate::sip
