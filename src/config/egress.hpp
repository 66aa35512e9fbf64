// [egress] with its pins as the rest of the program sees it.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "config/listen_address.hpp"
#include "config/place.hpp"
#include "config/words.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

enum class EgressMode : std::uint8_t { shared, exclusive };
template <>
inline constexpr std::array<std::string_view, 2> words_of<EgressMode>{"shared", "exclusive"};

inline constexpr std::size_t most_of_pool = 4096;  // addresses

struct Egress {
    std::vector<Located<Network>> pool;
    EgressMode mode = EgressMode::shared;
    Located<std::string> seed;
    std::vector<Located<Network>> clients;  // empty: everybody
    Duration remember_for = std::chrono::days(30);
    std::vector<Located<std::filesystem::path>> leases;
    std::optional<Located<ListenAddress>> radius;
    Located<std::string> radius_secret;
    Located<std::filesystem::path> radius_secret_file;

    bool operator==(const Egress&) const = default;
};

struct EgressPin {
    Place place;  // of [[egress.pin]]
    std::optional<Located<IpAddress>> client;  // one of these four
    std::optional<Located<Network>> network;
    Located<std::string> user;
    Located<std::string> mac;
    std::optional<Located<IpAddress>> source;

    bool operator==(const EgressPin&) const = default;
};

}  // namespace sallyport::config
