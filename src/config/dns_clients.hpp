// Whom the name server answers: what decides it at run time, and opens its port in the firewall.
#pragma once

#include "config/dns.hpp"

#include <vector>

namespace sallyport::config {

/// `clients` of [dns]; absent: this machine and private networks.
std::vector<Network> dns_clients(const Dns& dns);

}  // namespace sallyport::config
