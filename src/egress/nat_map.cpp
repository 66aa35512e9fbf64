#include "egress/nat_map.hpp"

#include <map>
#include <set>

namespace sallyport::egress {

NatMap nat_map(const Book& book, const People& people) {
    std::map<Network, IpAddress> entries;
    std::set<std::string> present;  // subjects of pins, as their people are known here
    const auto add = [&entries](const Network& client, const std::optional<IpAddress>& source) {
        if (source && source->is_v4() == client.address().is_v4()) entries.try_emplace(client, *source);
    };
    const auto add_client = [&](const IpAddress& client) {
        add(Network(client, 128), book.look(people.behind(client)).sources.towards(client));
    };
    for (const IpAddress& address : people.addresses()) {
        const Person person = people.behind(address);
        present.insert(Pin{PinKind::user, person.user, {}}.subject());
        present.insert(Pin{PinKind::mac, person.mac, {}}.subject());
        add_client(address);
    }
    NatMap out;
    const auto add_pin = [&](const Pin& pin) {
        const bool by_address = pin.kind == PinKind::client || pin.kind == PinKind::network;
        if (pin.kind == PinKind::client) add_client(*IpAddress::parse(pin.who));
        if (pin.kind == PinKind::network) add(*Network::parse(pin.who), pin.source);
        if (!by_address && !present.contains(pin.subject())) out.unplaced.push_back(pin.subject());
    };
    for (const Pin& pin : book.policy().pins) add_pin(pin);
    for (const Book::Pinned& pinned : book.pinned()) add_pin(pinned.pin);
    out.entries.reserve(entries.size());
    for (const auto& [client, source] : entries) out.entries.push_back({client, source});
    return out;
}

}  // namespace sallyport::egress
