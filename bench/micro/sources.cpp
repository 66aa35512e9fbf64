// What a connection pays to learn its source address.
#include "egress/book.hpp"

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

using namespace sallyport;

namespace {

IpAddress client_of(std::uint32_t number) { return IpAddress::v4(0x0A00'0000U + number); }

egress::Book book_of(std::vector<egress::Pin> pins) {
    const std::vector networks{*Network::parse("192.0.2.0/24")};
    egress::Book book;
    book.apply({.pool = egress::Pool(networks, "bench"), .pins = std::move(pins)});
    return book;
}

// By whom the pin is: an address, a network, a device that a leases file names.
void look_up_sources(benchmark::State& state, egress::PinKind kind) {
    const auto count = static_cast<std::uint32_t>(state.range(0));
    const auto mac_of = [](std::uint32_t number) {
        std::string mac = "02:00:00:00:00:00";
        for (std::size_t digit = mac.size(); number != 0; number >>= 4) {
            if (mac[--digit] == ':') --digit;
            mac[digit] = "0123456789abcdef"[number & 15];
        }
        return mac;
    };
    std::vector<egress::Pin> pins;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string address = client_of(i).to_string();
        const std::string who = kind == egress::PinKind::mac       ? mac_of(i)
                                : kind == egress::PinKind::network ? address + "/32"
                                                                   : address;
        pins.push_back(*egress::Pin::make(kind, who, IpAddress::v4(0xC000'0200U + i % 256)));
    }
    const egress::Book book = book_of(std::move(pins));
    std::mt19937 random(1);
    std::vector<egress::Person> people;
    for (int i = 0; i < 4096; ++i) {
        const std::uint32_t number = static_cast<std::uint32_t>(random()) % count;
        people.push_back({.address = client_of(number)});
        if (kind == egress::PinKind::mac) people.back().mac = mac_of(number);
    }
    std::size_t at = 0;
    for (auto _ : state) {
        const auto choice = book.look(people[at++ % people.size()]);
        if (choice.why[0] != egress::Why::pin) return state.SkipWithError("a pin was not found");
        benchmark::DoNotOptimize(choice);
    }
}
BENCHMARK_CAPTURE(look_up_sources, of_a_client, egress::PinKind::client)->Arg(10)->Arg(100'000);
BENCHMARK_CAPTURE(look_up_sources, of_a_network, egress::PinKind::network)->Arg(10)->Arg(100'000);
BENCHMARK_CAPTURE(look_up_sources, of_a_device, egress::PinKind::mac)->Arg(10)->Arg(100'000);

}  // namespace
