#include "egress/pins.hpp"

namespace sallyport::egress {

namespace {

void hold(Sources& sources, const IpAddress& source) {
    auto& place = sources.of(family_of(source));
    if (!place) place = source;
}

template <class Map, class Key>
std::optional<IpAddress> among(const Map& map, const Key& key, Family family) {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : found->second.of(family);
}

}  // namespace

Pins::Pins(std::span<const Pin> pins) {
    for (const Pin& pin : pins) {
        held_.insert(pin.source);
        switch (pin.kind) {
            case PinKind::user: hold(users_[pin.who], pin.source); break;
            case PinKind::mac: hold(macs_[pin.who], pin.source); break;
            case PinKind::client: hold(clients_[*IpAddress::parse(pin.who)], pin.source); break;
            case PinKind::network:
                networks_[static_cast<std::size_t>(family_of(pin.source))].add(*Network::parse(pin.who), pin.source);
                break;
        }
    }
}

std::optional<IpAddress> Pins::find(const Person& person, Family family) const {
    if (!person.user.empty()) {
        if (const auto source = among(users_, person.user, family)) return source;
    }
    if (!person.mac.empty()) {
        if (const auto source = among(macs_, person.mac, family)) return source;
    }
    if (const auto source = among(clients_, person.address, family)) return source;
    const IpAddress* network = networks_[static_cast<std::size_t>(family)].find(person.address);
    return network == nullptr ? std::nullopt : std::optional(*network);
}

}  // namespace sallyport::egress
