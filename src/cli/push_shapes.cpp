#include "cli/push_shapes.hpp"

#include <algorithm>
#include <map>

namespace sallyport::cli {

using nlohmann::json;

namespace {

constexpr std::size_t most_listed = 10'000;

void add(push::Device& to, const push::Device& one) {
    if (one.asked_at > to.asked_at) {
        to.asked_at = one.asked_at;
        to.asked = one.asked;
    }
    to.connected_at = std::max(to.connected_at, one.connected_at);
    to.refused_at = std::max(to.refused_at, one.refused_at);
    to.open += one.open;
}

std::string remark(const push::Device& device) {
    if (device.asked_at && !device.connected_at)
        return device.refused_at ? "asked, and was refused" : "asked, never connected";
    if (!device.asked_at && device.connected_at) return "connected without asking";
    return {};
}

json time_or_null(const std::optional<WallTime>& time) { return time ? json(to_rfc3339(*time)) : json(nullptr); }

}  // namespace

json devices_json(std::span<const std::unordered_map<IpAddress, push::Device>> of_loops) {
    std::map<IpAddress, push::Device> all;
    for (const auto& of_loop : of_loops) {
        for (const auto& [address, device] : of_loop) add(all[address], device);
    }
    json rows = json::array();
    for (const auto& [address, device] : all) {
        if (rows.size() == most_listed) break;
        rows.push_back({{"device", address.to_string()},
                        {"asked_for", device.asked ? json(device.asked->host()) : json(nullptr)},
                        {"asked", time_or_null(device.asked_at)},
                        {"connected", time_or_null(device.connected_at)},
                        {"refused", time_or_null(device.refused_at)},
                        {"open", device.open},
                        {"remark", remark(device)}});
    }
    return rows;
}

}  // namespace sallyport::cli
