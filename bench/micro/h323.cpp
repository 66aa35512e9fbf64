// What the first message of an H.323 connection costs, and what is looked at once it is routed.
#include "gate/h323/asked.hpp"
#include "gate/h323/judge.hpp"
#include "wire/h323/stepper.hpp"
#include "wire/h323/tpkt.hpp"

#include <benchmark/benchmark.h>

#include <charconv>
#include <string>
#include <string_view>

using namespace sallyport;

namespace {

// The first RRQ of a common endpoint, without a gatekeeper id: three aliases are read for their domains.
constexpr std::string_view first_registration =
    "030000eb08020000621c007e00dd05281001001081018080d20140001100004000010080c60e805a7c060008914a000700000022c00900"
    "003d1048333233506c75732073696d706c6500001a312e32382e30202848333233706c75732076312e32382e3029000000034005007000"
    "68006f006e006500328014001170686f6e6532406578616d706c652e636f6d01807a45600900003d1048333233506c75732073696d706c"
    "6500001a312e32382e30202848333233706c75732076312e32382e302900002e0b19220100018001800100027000013013100140001700"
    "024000011d0000021d0000071c0100";
// A registration that is kept alive, and its answer.
constexpr std::string_view keep_alive =
    "0300009908020000621c007e008b052810010010810180808001400011000040000100750e401217060008914a00078000002200090000"
    "000260006500780061006d0070006c0065002e0063006f006d002f006200720061006e00630068002d0061400900003d0470726f62652e"
    "0f000201801f1c0032003500390034003900310034003900310037005f0065006e00640070010001800100";
constexpr std::string_view kept_alive =
    "030000b508020000621c007e00a7052810010010810180809c01400011000040000100809012c01217060008914a000701000a17000106"
    "b803400500700068006f006e0065003101807a448014001170686f6e6531406578616d706c652e636f6d26006500780061006d0070006c"
    "0065002e0063006f006d002f006200720061006e00630068002d00611c0032003500390034003900310034003900310037005f0065006e"
    "00640070128a80020012010001000100";

std::string from_hex(std::string_view hex) {
    std::string out;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        unsigned octet = 0;
        std::from_chars(hex.data() + i, hex.data() + i + 2, octet, 16);
        out += static_cast<char>(octet);
    }
    return out;
}

void peek_h323_registration(benchmark::State& state) {
    const std::string text = from_hex(first_registration);
    for (auto _ : state) {
        const auto tpkt = h323::read_tpkt(as_bytes(text));
        const auto heard = gate::h323::hear(as_bytes(text).subspan(h323::tpkt_header));
        const auto asked = gate::h323::read_asked(heard);
        if (!tpkt || asked.names.empty()) return state.SkipWithError("it names nobody");
        benchmark::DoNotOptimize(asked);
    }
}
BENCHMARK(peek_h323_registration);

// Both ways: what the relay of a routed connection does beyond passing on the bytes.
void watch_h323_keep_alive(benchmark::State& state) {
    const std::string request = from_hex(keep_alive);
    const std::string answer = from_hex(kept_alive);
    h323::MessageStepper up;
    h323::MessageStepper down;
    gate::h323::Judge judge;
    for (auto _ : state) {
        judge.asked(gate::h323::hear(up.next(as_bytes(request)).message));
        benchmark::DoNotOptimize(judge.answered(gate::h323::hear(down.next(as_bytes(answer)).message)));
        if (up.next({}).what != h323::MessageStepper::Step::What::need_more) return state.SkipWithError("it goes on");
    }
}
BENCHMARK(watch_h323_keep_alive);

// A message that is not looked at: media in the signalling connection (H.460.26), a kilobyte at once.
void pass_h323_media(benchmark::State& state) {
    const std::string text = std::string("\x03\0\x04\0\x08\0\x7b", 7) + std::string(1024 - 7, 'x');
    h323::MessageStepper stepper;
    for (auto _ : state) {
        Bytes rest = as_bytes(text);
        while (!rest.empty()) rest = rest.subspan(stepper.next(rest).consumed);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(pass_h323_media);

}  // namespace
