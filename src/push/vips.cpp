#include "push/vips.hpp"

#include "base/nth_address.hpp"

#include <algorithm>

namespace sallyport::push {

namespace {

constexpr std::uint16_t first_provider = 192;
constexpr std::uint16_t most_places = 1000;  // what a courier's number can be

bool is_single(const Network& network) { return network.mapped_bits() == 128; }

std::uint32_t room_of(const Network& network) {
    const unsigned host_bits = 128 - network.mapped_bits();
    return host_bits >= 16 ? 65'536 : 1U << host_bits;
}

}  // namespace

Vips::Answer Vips::at(std::uint16_t place) const {
    Answer out;
    for (const Network& network : networks_) {
        IpAddress& into = network.address().is_v4() ? out.v4 : out.v6;
        if (into != IpAddress{} || (!is_single(network) && place >= room_of(network))) continue;
        into = nth_after(network.address(), is_single(network) ? 0 : place);
    }
    return out;
}

Vips::Answer Vips::of(std::uint16_t number) const { return at(number); }

Vips::Answer Vips::of(Provider provider) const {
    return at(static_cast<std::uint16_t>(first_provider + static_cast<unsigned>(provider)));
}

bool Vips::contains(const IpAddress& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) { return network.contains(address); });
}

std::optional<std::uint16_t> Vips::place_of(const IpAddress& address) const {
    for (const Network& network : networks_) {
        if (!network.contains(address)) continue;
        if (is_single(network)) return std::nullopt;
        const auto& bytes = address.bytes();
        // Of a place below 65 536 all octets but the last two are the network's own.
        const auto& base = network.address().bytes();
        const unsigned low = bytes[14] * 256U + bytes[15];
        const unsigned base_low = base[14] * 256U + base[15];
        if (!std::equal(bytes.begin(), bytes.begin() + 14, base.begin()) || low - base_low >= most_places)
            return std::nullopt;
        return static_cast<std::uint16_t>(low - base_low);
    }
    return std::nullopt;
}

std::optional<std::uint16_t> Vips::number_at(const IpAddress& address) const { return place_of(address); }

std::optional<Provider> Vips::provider_at(const IpAddress& address) const {
    const auto place = place_of(address);
    if (!place || *place < first_provider ||
        *place > first_provider + static_cast<unsigned>(Provider::feedback_sandbox))
        return std::nullopt;
    return static_cast<Provider>(*place - first_provider);
}

}  // namespace sallyport::push
