#include "firewall/programs.hpp"

#include "io/process.hpp"
#include "io/scope.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <sstream>
#include <utility>

namespace sallyport::firewall {

namespace {

constexpr std::size_t most_output = std::size_t{64} << 20;  // bytes: a listing of a million map elements
constexpr Duration longest_run = std::chrono::seconds(60);

std::string path_of_programs() {
    const char* const path = std::getenv("PATH");
    return path == nullptr ? "" : path;
}

std::vector<std::string> environment() { return {"LC_ALL=C", "PATH=" + path_of_programs()}; }

io::Task<void> run_on(io::Loop& loop, io::ProcessOptions options, std::optional<Result<io::ProcessResult>>& result) {
    io::Cancellation never;
    result = co_await io::run_process(loop, never, std::move(options));
    loop.stop();
}

}  // namespace

Result<Ran> run_program(std::vector<std::string> arguments, std::string input) {
    const std::string name = arguments.front();
    auto loop = io::Loop::create();
    if (!loop) return fail(loop.error().message);
    std::optional<Result<io::ProcessResult>> result;
    io::Scope scope(**loop);
    scope.spawn(run_on(**loop,
                       {.arguments = std::move(arguments),
                        .input = std::move(input),
                        .environment = environment(),
                        .output_limit = most_output,
                        .deadline = (*loop)->in(longest_run)},
                       result));
    (*loop)->run();
    if (!result || !*result) return fail(result ? result->error().message : name + " was not started");
    io::ProcessResult& ended = **result;
    if (ended.end == io::ProcessEnd::timed_out) return fail(name + " was ended after 60 s without an end of its own");
    if (ended.out.cut) return fail(name + " printed more than 64 MiB");
    return Ran{.status = ended.exit_status, .out = std::move(ended.out.text), .err = std::move(ended.err.text)};
}

Result<std::string> find_nft() {
    std::istringstream folders(path_of_programs() + ":/usr/sbin:/sbin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        std::string file = folder + "/nft";
        if (folder.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
    }
    return fail("there is no program nft in PATH, /usr/sbin or /sbin: install the package nftables");
}

Result<Ran> run_nft(std::vector<std::string> options, std::string input) {
    auto program = find_nft();
    if (!program) return fail(program.error());
    std::vector<std::string> arguments{std::move(*program)};
    std::ranges::move(options, std::back_inserter(arguments));
    return run_program(std::move(arguments), std::move(input));
}

io::Task<Result<void>> load_by_nft(io::Loop& loop, std::string text) {
    constexpr Duration within = std::chrono::seconds(10);
    const auto program = find_nft();
    if (!program) co_return fail(program.error());
    io::Cancellation never;  // it takes less time than to find out how far it had come
    auto done = co_await io::run_process(loop, never,
                                         {.arguments = {*program, "-f", "-"},
                                          .input = std::move(text),
                                          .environment = environment(),
                                          .output_limit = 4096,
                                          .deadline = loop.in(within)});
    if (!done) co_return fail(done.error());
    if (done->ok()) co_return Result<void>();
    if (done->end == io::ProcessEnd::timed_out) co_return fail("nft did not end in time");
    co_return fail("nft: " + done->err.text.substr(0, done->err.text.find('\n')));
}

}  // namespace sallyport::firewall
