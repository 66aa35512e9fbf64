// A certificate chain with its key, as a plain value: what certs/ loads and io/ turns into a TLS context.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <string>
#include <vector>

namespace sallyport::crypto {

struct Credential {
    std::string name;       // as the configuration calls it
    std::string chain_pem;  // leaf first
    std::string key_pem;
    std::vector<std::string> dns_names;  // lower-cased, "*.example.com" as in the certificate
    std::vector<IpAddress> ip_names;
    WallTime not_before;
    WallTime not_after;
};

}  // namespace sallyport::crypto
