// What must not grow with the configuration or the bans.
#include "base/network_map.hpp"
#include "config/load.hpp"
#include "gate/router.hpp"
#include "gate/targets/state.hpp"
#include "guard/bans.hpp"

#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>

using namespace sallyport;

namespace {

IpAddress random_address(std::mt19937& random) { return IpAddress::v4(static_cast<std::uint32_t>(random())); }

void find_network(benchmark::State& state) {
    std::mt19937 random(1);
    NetworkSet set;
    const unsigned lengths[] = {8, 16, 20, 24, 32};
    for (std::int64_t i = 0; i < state.range(0); ++i) set.add(Network(random_address(random), lengths[i % 5]));
    for (auto _ : state) benchmark::DoNotOptimize(set.contains(random_address(random)));
}
BENCHMARK(find_network)->Arg(10)->Arg(1'000)->Arg(100'000);

// As each accepted connection asks; nobody it asks about is banned.
void ask_the_guard(benchmark::State& state) {
    std::mt19937 random(1);
    const auto index = std::make_shared<guard::BanIndex>(1'000'000, 42);
    for (std::int64_t i = 0; i < state.range(0); ++i) index->insert(guard::ClientKey(random_address(random)));
    const guard::Bans bans{.index = index, .lists = {}};
    for (auto _ : state) benchmark::DoNotOptimize(bans.hold(random_address(random)));
}
BENCHMARK(ask_the_guard)->Arg(0)->Arg(1'000)->Arg(1'000'000);

std::string name_of(std::int64_t number) { return "host-" + std::to_string(number) + ".example.com"; }

void decide_http(benchmark::State& state) {
    std::string text = "[listen]\nhttp = \":8080\"\n";
    for (std::int64_t i = 0; i < state.range(0); ++i) {
        text += "[[service]]\nname = \"" + name_of(i) +
                "\"\nprotocol = \"http\"\ntarget = \"172.16.0.10\"\nplain_port = 80\n";
    }
    auto loaded = config::load_text("bench.toml", text, {});
    if (!loaded.config) return state.SkipWithError("the configuration does not load");
    gate::StateBook states;
    const gate::Snapshot snapshot(std::move(*loaded.config), states);
    std::mt19937 random(1);
    const IpAddress client = random_address(random);
    std::vector<std::string> names;
    for (int i = 0; i < 64; ++i)
        names.push_back(name_of(static_cast<std::int64_t>(random() % static_cast<unsigned>(state.range(0)))));
    std::size_t at = 0;
    for (auto _ : state) {
        const auto decision =
            decide(snapshot, {.name = names[at++ % names.size()], .client = client, .path = "/index.html"});
        if (!decision.admitted()) return state.SkipWithError("a name was not found");
        benchmark::DoNotOptimize(decision);
    }
}
BENCHMARK(decide_http)->Arg(10)->Arg(1'000)->Arg(100'000);

}  // namespace

BENCHMARK_MAIN();
