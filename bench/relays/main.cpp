// bench_turn: the clients of a TURN server, all in one thread; bench/turn runs it. It speaks with the codec of
// src/wire, which coturn understands or there is no figure.
//
// It says "ready" when everybody is seated, and works when it is sent a line; then it reports, and ends at another.
#include "base/text.hpp"
#include "relays/load.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <utility>

namespace {

using namespace sallyport;
using namespace sallyport::bench;

constexpr std::array<std::pair<std::string_view, Work>, 5> works{{{"binding", Work::binding},
                                                                  {"channel", Work::channel},
                                                                  {"indication", Work::indication},
                                                                  {"echo", Work::echo},
                                                                  {"hold", Work::hold}}};

Result<Options> read_options(int count, char** words) {
    std::map<std::string, std::string, std::less<>> given;
    for (int i = 1; i < count; ++i) {
        const std::string_view word = words[i];
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) return fail("not name=value: " + std::string(word));
        given.emplace(word.substr(0, equals), word.substr(equals + 1));
    }
    const auto text = [&](std::string_view name) { return std::exchange(given[std::string(name)], {}); };
    Options options;
    const auto server = SocketAddress::parse(text("server"));
    if (!server) return fail("server= is an address and a port");
    options.server = *server;
    const std::string work = text("work");
    const auto* const found = std::ranges::find(works, work, &std::pair<std::string_view, Work>::first);
    if (found == works.end()) return fail("work= is binding, channel, indication, echo or hold");
    options.work = found->second;
    options.by_tcp = text("tcp") == "yes";
    options.credential = {text("user"), text("password")};
    const auto number = [&](std::string_view name, double otherwise) {
        const std::string value = text(name);
        return value.empty() ? otherwise : std::stod(value);
    };
    options.guests = static_cast<unsigned>(number("guests", options.guests)) & ~1U;
    options.window = static_cast<unsigned>(number("window", options.window));
    options.rate = number("rate", options.rate);
    options.burst = static_cast<unsigned>(number("burst", options.burst));
    options.size = static_cast<std::size_t>(number("size", static_cast<double>(options.size)));
    options.seconds = number("seconds", options.seconds);
    for (const auto& [name, value] : given) {
        if (!value.empty()) return fail("no option " + name);
    }
    return options;
}

Result<void> work(const Options& options) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    Load load(options);
    if (const auto prepared = load.prepare(); !prepared) return prepared;
    std::string line;
    std::cout << R"({"phase":"ready"})" << std::endl;
    if (!std::getline(std::cin, line) || options.work == Work::hold) return {};
    const auto report = load.run();
    if (!report) return fail(report.error());
    std::cout << "{\"sent\":" << report->sent << ",\"came\":" << report->came << ",\"seconds\":" << report->seconds
              << ",\"own_cpu\":" << report->own_cpu << '}' << std::endl;
    std::getline(std::cin, line);
    load.leave();
    return {};
}

}  // namespace

int main(int count, char** words) {
    const auto options = read_options(count, words);
    const auto done = options ? work(*options) : Result<void>(fail(options.error()));
    if (done) return 0;
    std::fprintf(stderr, "bench_turn: %s\n", done.error().message.c_str());
    return options ? 1 : 2;
}
