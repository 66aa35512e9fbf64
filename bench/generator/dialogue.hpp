// What client and backend say to one another where a relay passes it on unchanged: each knows it byte for byte, and
// notices a byte that changed.
#pragma once

#include <string>

#include "generator/numbered.hpp"
#include "generator/options.hpp"

namespace sallyport::bench {

struct Dialogue {
    std::string opening;  // of the client, once; empty: none
    std::string welcome;  // the answer to it
    Numbered request;     // then over and over; empty: messages that come back as they went
    Numbered answer;      // to a request with the same number
};

/// Empty where the carrier has another way: HTTP, a tunnel, raw bytes.
Dialogue dialogue_for(const Options& options);

}  // namespace sallyport::bench
