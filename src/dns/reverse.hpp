// Names of addresses: 7.2.0.192.in-addr.arpa (RFC 1035 section 3.5), nibbles under ip6.arpa (RFC 3596 section 2.5).
#pragma once

#include "base/address.hpp"
#include "wire/dns/name.hpp"

namespace sallyport::dns {

Name reverse_name(const IpAddress& address);

}  // namespace sallyport::dns
