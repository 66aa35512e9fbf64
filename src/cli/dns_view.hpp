// What the name server does, for /metrics and the status of the gateway.
#pragma once

#include "dns/numbers.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace sallyport::cli {

/// In the Prometheus text format. Upstreams are labels: there are as many as the configuration names.
std::string dns_metrics(const dns::ForwarderFacts& facts);

nlohmann::json dns_json(const dns::ForwarderFacts& facts);

}  // namespace sallyport::cli
