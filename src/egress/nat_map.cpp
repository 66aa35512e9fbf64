#include "egress/nat_map.hpp"

#include <map>
#include <string_view>

namespace sallyport::egress {

namespace {

constexpr std::string_view by_address = "address ";

}  // namespace

std::vector<NatEntry> nat_map(const Book& book, const People& people) {
    std::map<Network, IpAddress> out;
    const auto add = [&out](const Network& client, const std::optional<IpAddress>& source) {
        if (source && source->is_v4() == client.address().is_v4()) out.try_emplace(client, *source);
    };
    const auto add_client = [&](const IpAddress& client) {
        add(Network(client, 128), book.look(people.behind(client)).sources.towards(client));
    };
    const auto add_pin = [&](const Pin& pin) {
        if (pin.kind == PinKind::client) add_client(*IpAddress::parse(pin.who));
        if (pin.kind == PinKind::network) add(*Network::parse(pin.who), pin.source);
    };
    for (const IpAddress& address : people.addresses()) add_client(address);
    for (const auto& [who, lines] : book.leases()) {
        if (!who.starts_with(by_address)) continue;
        if (const auto client = IpAddress::parse(std::string_view(who).substr(by_address.size()))) add_client(*client);
    }
    for (const Pin& pin : book.policy().pins) add_pin(pin);
    for (const Book::Pinned& pinned : book.pinned()) add_pin(pinned.pin);
    std::vector<NatEntry> entries;
    entries.reserve(out.size());
    for (const auto& [client, source] : out) entries.push_back({client, source});
    return entries;
}

}  // namespace sallyport::egress
