// What is known of the devices inside: which courier they asked for, and whether they came. A device that asks and
// never connects has a firewall in its way; one that connects without having asked has the address from elsewhere.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "push/name.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

namespace sallyport::push {

struct Device {
    std::optional<Courier> asked = {};            // DNS, last
    std::optional<WallTime> asked_at = {};
    std::optional<WallTime> connected_at = {};    // last, and relayed
    std::optional<WallTime> refused_at = {};      // last
    std::uint32_t open = 0;                  // connections
};

/// Belongs to the thread of its loop. Past `most` devices any one that holds no connection gives way.
class Devices {
public:
    static constexpr std::size_t most = 65'536;
    static constexpr Duration asked_holds = std::chrono::minutes(5);

    void asked(const IpAddress& client, Courier courier, WallTime now) {
        if (Device* device = at(client)) {
            device->asked = courier;
            device->asked_at = now;
        }
    }
    void connected(const IpAddress& client, WallTime now) {
        if (Device* device = at(client)) {
            device->connected_at = now;
            ++device->open;
        }
    }
    void ended(const IpAddress& client) {
        const auto device = devices_.find(client);
        if (device != devices_.end() && device->second.open > 0) --device->second.open;
    }
    void refused(const IpAddress& client, WallTime now) {
        if (Device* device = at(client)) device->refused_at = now;
    }
    /// What this client asked DNS for, lately.
    std::optional<Courier> asked_lately(const IpAddress& client, WallTime now) const {
        const auto device = devices_.find(client);
        if (device == devices_.end() || !device->second.asked_at || now - *device->second.asked_at > asked_holds)
            return std::nullopt;
        return device->second.asked;
    }

    const std::unordered_map<IpAddress, Device>& all() const { return devices_; }

private:
    Device* at(const IpAddress& client) {
        const auto known = devices_.find(client);
        if (known != devices_.end()) return &known->second;
        if (devices_.size() >= most) {
            if (devices_.begin()->second.open > 0) return nullptr;
            devices_.erase(devices_.begin());
        }
        return &devices_[client];
    }

    std::unordered_map<IpAddress, Device> devices_;
};

}  // namespace sallyport::push
