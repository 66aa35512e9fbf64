#include "listeners/client_counts.hpp"

#include <algorithm>
#include <functional>

namespace sallyport::listeners {

namespace {

IpAddress counted_as(const IpAddress& client) { return client.is_v4() ? client : Network(client, 64).address(); }

}  // namespace

std::uint32_t ClientCounts::share_of(std::uint32_t configured, std::size_t capacity) {
    if (configured != 0) return configured;
    return static_cast<std::uint32_t>(std::max<std::size_t>(1, capacity - capacity / 4));
}

ClientCounts::Part& ClientCounts::part_of(const IpAddress& client) {
    return parts_[std::hash<IpAddress>{}(client) % parts];
}

bool ClientCounts::enter(const IpAddress& client, std::uint32_t most) {
    const IpAddress key = counted_as(client);
    Part& part = part_of(key);
    const std::scoped_lock lock(part.mutex);
    std::uint32_t& held = part.held[key];
    if (held >= most) return false;
    ++held;
    total_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void ClientCounts::leave(const IpAddress& client) {
    const IpAddress key = counted_as(client);
    Part& part = part_of(key);
    const std::scoped_lock lock(part.mutex);
    const auto found = part.held.find(key);
    if (--found->second == 0) part.held.erase(found);
    total_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace sallyport::listeners
