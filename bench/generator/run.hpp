// The modes of bench_load: each builds its backend and clients, works, and says what came of it.
#pragma once

#include <string>

#include "base/result.hpp"
#include "generator/options.hpp"

namespace sallyport::bench {

/// One JSON object, on one line, that ends with the verdict "valid". An error is about this process alone (a port that
/// is taken, say); what the relay did wrong is in the JSON.
Result<std::string> run(const Options& options);

}  // namespace sallyport::bench
