// What the target's answers say of the client: did it guess, or probe?
#pragma once

#include "guard/lookout.hpp"
#include "wire/http/fields.hpp"

#include <cstdint>
#include <optional>

namespace sallyport::gate::http {

struct Suspect {
    guard::Sign sign;
    std::uint64_t credential = 0;  // as for guard::Suspicion
};

/// 401 to a request that offered credentials, unless the answer goes on with a negotiation (NTLM, Negotiate) or says
/// that only the nonce was too old (RFC 7616 section 3.3); and 403. A first 401 is how HTTP asks for a password.
std::optional<Suspect> suspect(std::uint16_t status, const sallyport::http::FieldList& request,
                               const sallyport::http::FieldList& answer);

}  // namespace sallyport::gate::http
