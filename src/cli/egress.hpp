// `sallyport egress`: who goes out from which address.
#pragma once

#include "cli/verbs.hpp"

#include <string>

namespace sallyport::cli {

struct EgressOptions {
    bool csv = false;
    std::string address;  // to be asked about
    std::string client, network, mac, user;  // a pin's
    std::string source;
    bool remove = false;
};

Exit egress_list(const Common& common, const EgressOptions& options);
Exit egress_whois(const Common& common, const EgressOptions& options);
Exit egress_pin(const Common& common, const EgressOptions& options);

}  // namespace sallyport::cli
