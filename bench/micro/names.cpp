// What the name server decides and writes for a question about a name of its own, however many of them there are.
#include "config/load.hpp"
#include "dns/decide.hpp"
#include "wire/dns/message.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

using namespace sallyport;

namespace {

constexpr std::size_t batch = 32;
constexpr std::int64_t asked_for = 10'000;  // of them, in an order that no cache likes

std::string name_of(std::int64_t number) { return "h" + std::to_string(number) + ".home.test"; }

void append(std::vector<std::byte>& questions, const std::string& name) {
    const dns::Name parsed = *dns::Name::parse(name);
    questions.push_back(static_cast<std::byte>(parsed.wire().size()));
    questions.insert(questions.end(), parsed.wire().begin(), parsed.wire().end());
}

bool answers(const dns::Zones& zones, Bytes name) {
    std::array<std::byte, dns::udp_payload> room;
    std::array<std::byte, dns::max_name + 4> question;
    std::ranges::copy(name, question.begin());
    const dns::Asked asked{.id = 7, .flags = 0x0100, .question = Bytes(question).first(name.size() + 4)};
    const dns::NameKey key(name, zones.seed());
    const IpAddress client = IpAddress::v4(0x7F000001);
    const auto decision = decide(zones, {name, dns::type::a, dns::class_in, client}, key, nullptr, nullptr);
    benchmark::DoNotOptimize(write_answer(room, asked, dns::type::a, decision).data());
    return decision.outcome == dns::Outcome::local;
}

// As a batch of datagrams asks.
void answer_local_names(benchmark::State& state) {
    std::string text = "[dns]\nlisten = \":53\"\n";
    for (std::int64_t i = 0; i < state.range(0); ++i)
        text += "[[dns.record]]\nname = \"" + name_of(i) + "\"\naddress = \"10." + std::to_string(i >> 16) + '.' +
                std::to_string(i >> 8 & 255) + '.' + std::to_string(i & 255) + "\"\n";
    auto loaded = config::load_text("bench.toml", text, {});
    if (!loaded.config) return state.SkipWithError("the configuration does not load");
    const dns::Zones zones(*loaded.config, 42);
    const std::int64_t count = std::min(state.range(0), asked_for);
    std::vector<std::byte> questions;
    for (std::int64_t i = 0; i < count; ++i) append(questions, name_of(i * 7919 % count));
    ByteReader asked(questions);
    for (auto _ : state) {
        std::array<Bytes, batch> names;
        std::array<std::uint64_t, batch> hashes;
        for (std::size_t i = 0; i < batch; ++i) {
            if (asked.empty()) asked = ByteReader(questions);
            names[i] = *asked.take(*asked.u8());
            hashes[i] = dns::NameKey(names[i], zones.seed()).hash(0);
        }
        if (zones.names().are_many()) zones.names().fetch(hashes);
        for (const Bytes name : names) {
            if (!answers(zones, name)) return state.SkipWithError("a name was not found");
        }
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch));
}
BENCHMARK(answer_local_names)->Arg(10)->Arg(10'000)->Arg(100'000);

}  // namespace
