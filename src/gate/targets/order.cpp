#include "gate/targets/order.hpp"

#include "gate/targets/state.hpp"

#include <algorithm>

namespace sallyport::gate {

namespace {

// A 64-bit finalizer: every input bit changes about half of the output's (the constants are those of splitmix64).
std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31U);
}

// The same on every node and after every restart. Of IPv6 the /64: the rest changes daily (RFC 8981).
std::uint64_t hash_of(const IpAddress& client) {
    std::uint64_t hash = 0;
    const auto& bytes = client.bytes();
    for (std::size_t i = client.is_v4() ? 12 : 0; i < (client.is_v4() ? 16U : 8U); ++i) hash = (hash << 8U) | bytes[i];
    return mix(hash + 1);
}

std::uint64_t hash_of(std::string_view target) {
    std::uint64_t hash = 0;
    for (const char c : target) hash = mix(hash ^ static_cast<unsigned char>(c));
    return hash;
}

// Rendezvous hashing: a client keeps its target while that one is there, whatever becomes of the others.
void sort_for(const Service& service, const IpAddress& client, std::uint8_t* first, std::uint8_t* last) {
    const std::uint64_t by_client = hash_of(client);
    std::array<std::uint64_t, config::most_targets> weight;
    for (const std::uint8_t* at = first; at != last; ++at)
        weight[*at] = mix(by_client ^ hash_of(service.settings->targets[*at].value.text));
    std::sort(first, last, [&](std::uint8_t a, std::uint8_t b) { return weight[a] > weight[b]; });
}

}  // namespace

Order order_targets(const Service& service, const IpAddress& client, std::uint32_t turn) {
    Order order;
    Order failing;
    for (std::size_t i = 0; i < service.targets.size(); ++i) {
        const TargetState& state = *service.targets[i];
        if (state.wish() != Wish::up) continue;
        const Condition condition = state.condition();  // other loops may change it: asked once
        if (condition == Condition::up) order.add(i);
        if (condition == Condition::failing) failing.add(i);
    }
    std::uint8_t* const first = order.index.data();
    std::uint8_t* const last = first + order.count;
    if (order.count > 1 && service.settings->balance == config::Balance::round_robin)
        std::rotate(first, first + turn % order.count, last);
    else if (order.count > 1 && service.settings->balance == config::Balance::client)
        sort_for(service, client, first, last);
    for (const std::uint8_t i : failing) order.add(i);
    return order;
}

}  // namespace sallyport::gate
