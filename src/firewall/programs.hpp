// Other programs, run to their end for a verb of the command line: there is no loop that they could hold up.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace sallyport::firewall {

struct Ran {
    int status = -1;  // exit status; -1: a signal ended it
    std::string out;
    std::string err;

    bool ok() const { return status == 0; }
};

/// Starts the program, gives it `input` and waits for its end, at most 60 s. The error: it can't be started, or it
/// took too long. Single-threaded callers only.
Result<Ran> run_program(std::vector<std::string> arguments, std::string input = {});

}  // namespace sallyport::firewall
