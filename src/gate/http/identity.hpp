// What a target is told of the certificate that a client showed (RFC 9440, and the fields that nginx and HAProxy have
// made usual). Whatever a client says in these fields itself never passes.
#pragma once

#include "base/time.hpp"
#include "crypto/trust.hpp"
#include "gate/http/rewrite.hpp"
#include "io/tls.hpp"

#include <span>
#include <string>
#include <vector>

namespace sallyport::gate::http {

class Identity {
public:
    explicit Identity(const io::PeerCertificate& shown);

    /// As of `now`: a connection may outlive the certificate that opened it.
    crypto::Verdict verdict(WallTime now) const;
    /// X-SSL-Client-Verify (SUCCESS, NONE, FAILED:why), and of a trusted one X-SSL-Client-DN and Client-Cert.
    std::vector<ExtraField> fields(WallTime now) const;
    const std::string& detail() const { return detail_; }

private:
    crypto::Verdict verdict_;
    WallTime not_after_;
    std::string detail_;
    std::string subject_;
    std::string certificate_;  // as Client-Cert writes it
    std::string failed_;       // as X-SSL-Client-Verify does
};

}  // namespace sallyport::gate::http
