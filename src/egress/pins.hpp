// The pins that hold, to be asked by who somebody is. Cost does not grow with their number.
#pragma once

#include "base/network_map.hpp"
#include "egress/person.hpp"
#include "egress/sources.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <unordered_map>

namespace sallyport::egress {

class Pins {
public:
    Pins() = default;
    /// Two pins for the same may name a source of each family. Of two for one family the first holds.
    explicit Pins(std::span<const Pin> pins);

    void add(const Pin& pin);
    /// One that was added.
    void remove(const Pin& pin);

    /// What is held fast for this person in this family; none: nothing.
    std::optional<IpAddress> find(const Person& person, Family family) const;
    /// Is this address held for somebody?
    bool holds(const IpAddress& source) const { return held_.contains(source); }

private:
    using Networks = std::map<std::string, IpAddress>;

    void add_network(const std::string& network, const IpAddress& source);
    void remove_network(const std::string& network, Family family);

    std::unordered_map<std::string, Sources> users_;
    std::unordered_map<std::string, Sources> macs_;
    std::unordered_map<IpAddress, Sources> clients_;
    std::array<Networks, families.size()> by_network_;
    std::array<NetworkMap<IpAddress>, families.size()> networks_;  // the same, to be asked
    std::unordered_map<IpAddress, std::size_t> held_;  // for how many
};

}  // namespace sallyport::egress
