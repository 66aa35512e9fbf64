#include "gate/http/identity.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

namespace sallyport::gate::http {

using crypto::Verdict;

Identity::Identity(const io::PeerCertificate& shown)
    : verdict_(shown.verdict), not_after_(shown.not_after), detail_(shown.detail) {
    failed_ = "FAILED:" + (detail_.empty() ? std::string("certificate has expired") : detail_);
    if (verdict_ != Verdict::trusted) return;
    subject_ = shown.subject;
    certificate_ = ":" + crypto::to_base64(as_bytes(shown.der)) + ":";  // a Byte Sequence (RFC 9440 section 2.1)
}

Verdict Identity::verdict(WallTime now) const {
    return verdict_ == Verdict::trusted && now > not_after_ ? Verdict::expired : verdict_;
}

std::vector<ExtraField> Identity::fields(WallTime now) const {
    constexpr std::string_view verify = "X-SSL-Client-Verify";
    switch (verdict(now)) {
        case Verdict::none: return {{verify, "NONE"}};
        case Verdict::trusted:
            return {{verify, "SUCCESS"}, {"X-SSL-Client-DN", subject_}, {"Client-Cert", certificate_}};
        case Verdict::expired:
        case Verdict::untrusted: return {{verify, failed_}};
    }
    return {};
}

}  // namespace sallyport::gate::http
