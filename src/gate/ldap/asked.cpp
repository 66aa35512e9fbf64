#include "gate/ldap/asked.hpp"

#include "wire/ldap/bind.hpp"
#include "wire/ldap/bind_name.hpp"

namespace sallyport::gate::ldap {

using namespace sallyport::ldap;

Asked read_asked(const MessageHead& head) {
    if (head.op != op::bind_request) {
        const Operation* operation = find_operation(head.op);
        return {.domain = {},
                .said = {},
                .why_none = (operation == nullptr ? std::string("a request") : std::string(operation->name)) +
                            " before any bind"};
    }
    const auto bind = read_bind_request(head.operation);
    if (!bind) return {.domain = {}, .said = {}, .why_none = std::string(ber::text(bind.error())), .malformed = true};
    Asked asked{.domain = {}, .said = std::string(bind->name), .why_none = {}, .sasl = bind->kind == BindKind::sasl};
    if (bind->kind != BindKind::simple) {
        asked.why_none = text(bind->kind);
        asked.malformed = bind->kind == BindKind::unsupported_version;  // RFC 4511 section 4.2: protocolError
        return asked;
    }
    BindDomain found = bind_domain(bind->name);
    if (found.form == NameForm::none) {
        asked.why_none = text(found.error);
        return asked;
    }
    asked.said = found.domain;
    asked.domain = std::move(found.domain);
    return asked;
}

}  // namespace sallyport::gate::ldap
