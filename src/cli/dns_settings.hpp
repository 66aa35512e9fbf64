// What [dns] means to the program: its listeners, its part of a generation, and explanations of names.
#pragma once

#include "base/result.hpp"
#include "config/config.hpp"
#include "dns/server.hpp"
#include "gate/explain.hpp"
#include "listeners/listeners.hpp"
#include "listeners/udp_listeners.hpp"
#include "push/decide.hpp"

#include <functional>
#include <string_view>
#include <vector>

namespace sallyport::cli {

std::vector<listeners::Claim> dns_claims(const config::Config& config);
std::vector<listeners::UdpClaim> dns_udp_claims(const config::Config& config);

/// The decision for "dns:hq.example.com" or "dns:hq.example.com?AAAA", in the shape of the others.
struct ExplainedName {
    gate::Explanation explanation;
    bool passed_on = false;  // upstreams know the answer
};
/// @param push  whose couriers are answered; may be null
Result<ExplainedName> explain_dns(const config::Dns& settings, const dns::Zones& zones, const push::Policy* push,
                                  std::string_view subject, const IpAddress& client);
/// Puts the question to an upstream as the client's would be; the answer comes on the loop's thread.
void look_up(dns::Server& server, std::string_view subject, const IpAddress& client,
             std::function<void(dns::LookedUp)> told);
/// What came of it, in the place of whom would be asked.
void take(const dns::LookedUp& looked_up, gate::Explanation& explanation);

}  // namespace sallyport::cli
