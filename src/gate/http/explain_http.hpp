#pragma once

#include "gate/explain.hpp"
#include "wire/http/head.hpp"

#include <string_view>

namespace sallyport::gate::http {

/// @param rest  of the URL behind its scheme: "hq.example.com:8443/path?query".
void explain(const Snapshot& snapshot, const Question& question, bool tls, std::string_view rest,
             Explanation& explanation);

/// What an HTTP head's error means for its record.
telemetry::Reason reason_of(sallyport::http::HeadError error);

}  // namespace sallyport::gate::http
