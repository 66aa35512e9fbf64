// The sections of media, names, push and egress, for the table in derive.cpp.
#pragma once

#include "firewall/derive.hpp"

namespace sallyport::firewall {

void derive_stun(const config::Config& config, Policy& policy);
void derive_turn(const config::Config& config, Policy& policy);
void derive_dns(const config::Config& config, Policy& policy);
void derive_push(const config::Config& config, Policy& policy);
void derive_egress(const config::Config& config, Policy& policy);

} // namespace sallyport::firewall
