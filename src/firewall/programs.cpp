#include "firewall/programs.hpp"

#include "io/process.hpp"
#include "io/scope.hpp"

#include <chrono>
#include <optional>

namespace sallyport::firewall {

namespace {

constexpr std::size_t most_output = std::size_t{64} << 20;  // bytes: a listing of a million map elements
constexpr Duration longest_run = std::chrono::seconds(60);

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

}  // namespace sallyport::firewall
