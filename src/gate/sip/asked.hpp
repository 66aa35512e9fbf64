// What a request asks the gate for: whom it claims to be from, and so whose it is to answer.
#pragma once

#include "base/address.hpp"
#include "gate/router.hpp"
#include "gate/shown_certificate.hpp"
#include "wire/sip/message.hpp"
#include "wire/sip/route.hpp"

#include <optional>
#include <string_view>

namespace sallyport::gate::sip {

/// Views of the message.
struct Asked {
    sallyport::sip::Host domain;                 // to route by; empty: it names none
    std::optional<sallyport::sip::NoName> none;  // why it names none
    std::string_view from;                       // the From field as it came
    bool secure = false;                         // a sips: URI asks for TLS on each hop

    /// For the record: the domain, else what stands in its place.
    std::string_view said() const { return domain.empty() ? from : domain.text(); }
    std::string_view why_none() const { return none ? text(*none) : std::string_view(); }
    /// Nothing that any service could be asked.
    bool malformed() const;
};

/// Does the URI that it is for ask for TLS on each hop?
bool is_to_secure(const sallyport::sip::Message& request);

Asked read_asked(const sallyport::sip::Message& request);

/// The question to the router.
/// @param shown  what the client's certificate is worth; null: no service cares
Ask ask_of(const Asked& asked, const sallyport::sip::Message& request, const IpAddress& client, bool tls,
           const ShownCertificate* shown, WallTime now);

/// Is the certificate for whoever this request claims to be? Its name is the user or the address (user@host) of From
/// and, in a REGISTER, of To: that is who gets registered (RFC 3261 section 10.2).
bool certificate_fits(const ShownCertificate& shown, const sallyport::sip::Message& request);

}  // namespace sallyport::gate::sip
