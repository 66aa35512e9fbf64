// For tests of what connects by TLS: a target's certificate, and who believes it.
#pragma once

#include "io/testing_certificates.hpp"
#include "io/tls.hpp"

#include <memory>
#include <vector>

namespace sallyport::gate::testing {

/// For a.example.com and pbx.example.net; the client knows its authority.
struct Certificates {
    io::testing::Authority authority{"Test CA"};
    std::shared_ptr<io::TlsServer> server =
        *io::TlsServer::create(std::vector{authority.issue({.dns_names = {"a.example.com", "pbx.example.net"}})}, {});
    std::shared_ptr<io::TlsClient> client = *io::TlsClient::create({.ca_pems = {authority.pem()}});
};
inline const Certificates& certificates() {
    static const Certificates made;
    return made;
}

}  // namespace sallyport::gate::testing
