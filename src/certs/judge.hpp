// What a handshake would say to a client's certificate, told without one.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/trust.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::certs {

struct Judged {
    crypto::Verdict verdict = crypto::Verdict::none;
    std::string subject;  // crypto::distinguished_name
    std::vector<std::string> names;  // crypto::holder_names
    std::string detail;   // why it is not trusted, in OpenSSL's words
};

/// Holds the first certificate of `chain_pem` against a trust list at `now`, as a TLS handshake would; the others in
/// the text are the issuers that the client would send along. Fails when there is no certificate in it, one can't be
/// read, or the trust list can't be used; errors call the text "the file".
Result<Judged> judge_client(std::string_view chain_pem, const std::vector<std::string>& ca_pems, WallTime now);

}  // namespace sallyport::certs
