// bench_load: client and backend of one benchmark in one thread, as bench/README.md tells.
#include <sched.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "generator/options.hpp"
#include "generator/run.hpp"

namespace {

using sallyport::Result;
using sallyport::bench::Options;

Result<void> pin(int cpu) {
    if (cpu < 0) return {};
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) == 0) return {};
    return sallyport::fail("cannot run on core " + std::to_string(cpu) + ": " + std::strerror(errno));
}

// Two descriptors a connection, client and backend: take what the hard limit gives.
void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

Result<std::string> measured(int count, char** words) {
    const auto options = sallyport::bench::parse_options(count, words);
    if (!options) return sallyport::fail(options.error());
    if (const auto pinned = pin(options->cpu); !pinned) return sallyport::fail(pinned.error());
    raise_descriptor_limit();
    return sallyport::bench::run(*options);
}

}  // namespace

int main(int count, char** words) {
    if (count < 2) {
        std::fputs(sallyport::bench::usage().c_str(), stderr);
        return 2;
    }
    const auto result = measured(count, words);
    if (!result) {
        std::fprintf(stderr, "bench_load: %s\n", result.error().message.c_str());
        return 2;
    }
    std::puts(result->c_str());
    return 0;
}
