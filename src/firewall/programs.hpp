// Other programs: nft(8) above all, wherever it is. Their words are English whatever the machine speaks, for they are
// looked into.
#pragma once

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

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
/// took too long. For verbs of the command line, where there is no loop that it could hold up; single-threaded callers
/// only.
Result<Ran> run_program(std::vector<std::string> arguments, std::string input = {});

/// The file of nft: in PATH, or where administrators' programs are when PATH leaves those out. The error says where it
/// was looked for.
Result<std::string> find_nft();

/// run_program() of nft, for whoever has no loop.
Result<Ran> run_nft(std::vector<std::string> options, std::string input = {});

/// Has nft do what `text` says, all or nothing, beside what else goes on on the loop. The error is the first line of
/// what it says. Ends within seconds.
io::Task<Result<void>> load_by_nft(io::Loop& loop, std::string text);

}  // namespace sallyport::firewall
