// nft(8): where it is, and a run of it.
#pragma once

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <string>

namespace sallyport::cli {

/// Its file: in PATH, or where administrators' programs are when PATH leaves those out. The error says where it was
/// looked for.
Result<std::string> find_nft();

/// Has it do what `text` says, all or nothing. The error is the first line of what it says. Ends within seconds.
io::Task<Result<void>> run_nft(io::Loop& loop, std::string text);

}  // namespace sallyport::cli
