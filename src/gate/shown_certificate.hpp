// The client's certificate, held against the name that the client gives itself in its protocol (`check_certificate`).
#pragma once

#include "base/time.hpp"
#include "crypto/trust.hpp"
#include "io/tls.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::gate {

class ShownCertificate {
public:
    explicit ShownCertificate(io::PeerCertificate shown)
        : verdict_(shown.verdict), not_after_(shown.not_after), names_(std::move(shown.names)) {}
    ShownCertificate(crypto::Verdict verdict, std::vector<std::string> names)
        : verdict_(verdict), not_after_(WallTime::max()), names_(std::move(names)) {}

    crypto::Verdict verdict(WallTime now) const {
        return verdict_ == crypto::Verdict::trusted && now > not_after_ ? crypto::Verdict::expired : verdict_;
    }

    /// Is it for this name, whole: "alice", "alice@example.com", or either behind "sip:", "sips:", "h323:"? A wildcard
    /// means nothing here. The case of the host does not matter, that of the user does (RFC 3261 section 19.1.4).
    /// @param user  not empty, else it is for nobody
    /// @param host  empty: the name alone
    bool is_for(std::string_view user, std::string_view host) const;

    const std::vector<std::string>& names() const { return names_; }

private:
    crypto::Verdict verdict_;
    WallTime not_after_;
    std::vector<std::string> names_;
};

/// What the client has shown; null where it speaks without TLS.
std::unique_ptr<ShownCertificate> shown_by(const io::Stream& client);

}  // namespace sallyport::gate
