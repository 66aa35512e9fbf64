// The devices that push knows of, as programs read them.
#pragma once

#include "base/address.hpp"
#include "push/devices.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <unordered_map>

namespace sallyport::cli {

/// What all loops know of each device, put together, in the order of their addresses; at most 10000.
nlohmann::json devices_json(std::span<const std::unordered_map<IpAddress, push::Device>> of_loops);

}  // namespace sallyport::cli
