#include "gate/ldap/refuse.hpp"

#include "wire/ldap/bind_name.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::gate::ldap {

namespace {

using telemetry::Reason;
namespace code = sallyport::ldap::code;

struct Row {
    Reason reason;
    std::int32_t code;
};

constexpr Row rows[] = {
    {Reason::service_no_name, code::inappropriate_authentication},
    {Reason::service_unknown, code::invalid_credentials},
    {Reason::acl_denied, code::insufficient_access_rights},
    {Reason::ban_active, code::insufficient_access_rights},
    {Reason::peek_malformed, code::protocol_error},
    {Reason::peek_too_large, code::protocol_error},
    {Reason::protocol_mismatch, code::protocol_error},
    {Reason::peek_timeout, code::unavailable},
    {Reason::limit_service, code::busy},
    {Reason::limit_connections, code::busy},
};

}  // namespace

std::int32_t result_code(Reason reason) {
    const auto* row = std::ranges::find(rows, reason, &Row::reason);
    return row == std::end(rows) ? code::unavailable : row->code;
}

std::string diagnostic(Reason reason, std::string_view detail) {
    std::string out = std::string(text_of(reason).cause);
    if (!detail.empty()) out += " (" + std::string(detail) + ")";
    if (reason == Reason::service_no_name) out += ": " + std::string(sallyport::ldap::accepted_forms);
    return out + " [" + std::string(telemetry::code(reason)) + "]";
}

}  // namespace sallyport::gate::ldap
