#include "gate/signs.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::gate {

namespace {

using guard::Sign;
using telemetry::Reason;

struct Row {
    Reason reason;
    Sign sign;
};

constexpr Row rows[] = {
    {Reason::service_unknown, Sign::refused},
    {Reason::acl_denied, Sign::refused},
    {Reason::url_not_allowed, Sign::refused},
    {Reason::url_ambiguous, Sign::refused},
    {Reason::cert_missing, Sign::refused},
    {Reason::cert_untrusted, Sign::refused},
    {Reason::cert_expired, Sign::refused},
    {Reason::cert_name_mismatch, Sign::refused},
    {Reason::peek_malformed, Sign::refused},
    {Reason::peek_too_large, Sign::refused},
    {Reason::proxy_untrusted, Sign::refused},
    {Reason::protocol_mismatch, Sign::refused},
    {Reason::body_malformed, Sign::refused},
    // Made by settings of honest clients as well.
    {Reason::service_no_name, Sign::doubtful},
    {Reason::peek_timeout, Sign::doubtful},
    {Reason::protocol_unsupported, Sign::doubtful},
    {Reason::tls_handshake, Sign::doubtful},
    {Reason::tls_timeout, Sign::doubtful},
    {Reason::tls_plain_on_tls_port, Sign::doubtful},
    {Reason::tls_on_plain_port, Sign::doubtful},
    {Reason::tls_misdirected, Sign::doubtful},
};

}  // namespace

std::optional<Sign> sign_of(Reason reason) {
    const auto* row = std::ranges::find(rows, reason, &Row::reason);
    if (row == std::end(rows)) return std::nullopt;
    return row->sign;
}

}  // namespace sallyport::gate
