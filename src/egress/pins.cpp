#include "egress/pins.hpp"

namespace sallyport::egress {

namespace {

void hold(Sources& sources, const IpAddress& source) {
    auto& place = sources.of(family_of(source));
    if (!place) place = source;
}

template <class Map, class Key>
void release(Map& map, const Key& key, Family family) {
    const auto found = map.find(key);
    if (found == map.end()) return;
    found->second.of(family).reset();
    if (found->second == Sources{}) map.erase(found);
}

template <class Map, class Key>
std::optional<IpAddress> among(const Map& map, const Key& key, Family family) {
    const auto found = map.find(key);
    return found == map.end() ? std::nullopt : found->second.of(family);
}

}  // namespace

Pins::Pins(std::span<const Pin> pins) {
    for (const Pin& pin : pins) add(pin);
}

void Pins::add(const Pin& pin) {
    ++held_[pin.source];
    switch (pin.kind) {
        case PinKind::user: hold(users_[pin.who], pin.source); break;
        case PinKind::mac: hold(macs_[pin.who], pin.source); break;
        case PinKind::client: hold(clients_[*IpAddress::parse(pin.who)], pin.source); break;
        case PinKind::network: add_network(pin.who, pin.source); break;
    }
}

void Pins::remove(const Pin& pin) {
    if (const auto held = held_.find(pin.source); held != held_.end() && --held->second == 0) held_.erase(held);
    const Family family = family_of(pin.source);
    switch (pin.kind) {
        case PinKind::user: release(users_, pin.who, family); break;
        case PinKind::mac: release(macs_, pin.who, family); break;
        case PinKind::client: release(clients_, *IpAddress::parse(pin.who), family); break;
        case PinKind::network: remove_network(pin.who, family); break;
    }
}

void Pins::add_network(const std::string& network, const IpAddress& source) {
    const auto family = static_cast<std::size_t>(family_of(source));
    by_network_[family].try_emplace(network, source);
    networks_[family].add(*Network::parse(network), source);
}

// The map only grows, and networks are few.
void Pins::remove_network(const std::string& network, Family family) {
    auto& left = by_network_[static_cast<std::size_t>(family)];
    left.erase(network);
    NetworkMap<IpAddress>& map = networks_[static_cast<std::size_t>(family)] = {};
    for (const auto& [who, source] : left) map.add(*Network::parse(who), source);
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
