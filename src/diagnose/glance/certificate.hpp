// Whose certificate it is, and who issued it (RFC 5280 section 4.1), for people to read. Nothing is verified.
#pragma once

#include "base/bytes.hpp"

#include <optional>
#include <string>

namespace sallyport::diagnose {

struct CertificateGlance {
    std::string subject;  // "push.example, Example Ltd": the common name, then the organization
    std::string issuer;  // likewise
    bool self_issued = false;  // both are the same
};

/// @param certificate  DER.
std::optional<CertificateGlance> glance_certificate(Bytes certificate);

}  // namespace sallyport::diagnose
