#include "cli/nft.hpp"

#include "io/process.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <sstream>
#include <utility>
#include <vector>

namespace sallyport::cli {

Result<std::string> find_nft() {
    const char* const path = std::getenv("PATH");
    std::istringstream folders((path == nullptr ? "" : std::string(path)) + ":/usr/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = folder + "/nft";
        if (folder.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
    }
    return fail("there is no program nft in PATH, /usr/sbin or /sbin: install the package nftables");
}

io::Task<Result<void>> run_nft(io::Loop& loop, std::string text) {
    constexpr Duration within = std::chrono::seconds(10);
    const auto program = find_nft();
    if (!program) co_return fail(program.error());
    io::Cancellation never;  // it takes less time than to find out how far it had come
    auto done = co_await io::run_process(loop, never,
                                         {.arguments = {*program, "-f", "-"},
                                          .input = std::move(text),
                                          .environment = std::vector<std::string>{"LC_ALL=C"},
                                          .output_limit = 4096,
                                          .deadline = loop.in(within)});
    if (!done) co_return fail(done.error());
    if (done->ok()) co_return Result<void>();
    if (done->end == io::ProcessEnd::timed_out) co_return fail("nft did not end in time");
    co_return fail("nft: " + done->err.text.substr(0, done->err.text.find('\n')));
}

}  // namespace sallyport::cli
