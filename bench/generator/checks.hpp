// Correctness in the same harness: what a relay must get right before its speed means anything.
#pragma once

#include <string>

#include "base/result.hpp"
#include "generator/ground.hpp"

namespace sallyport::bench {

/// The client sends 5 MB and finishes; the backend then sends 3 MB and closes. Every byte arrives and so do both ends.
Result<std::string> check_half_close(Ground& ground);

/// The client reads nothing while the backend sends all it can; phase "stalled" is for sampling the relay's memory.
/// Then the client reads on and gets every byte. Reports "held": bytes between the two programs at the standstill.
Result<std::string> check_slow_reader(Ground& ground);

/// A reset by the client ends the backend's connection, and the other way round. Reports
/// "to_backend" and "to_client": "reset", "finish" (the far side can't tell it from a good end) or "nothing".
Result<std::string> check_reset(Ground& ground);

}  // namespace sallyport::bench
