// [push] as the rest of the program sees it.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"
#include "config/place.hpp"
#include "config/words.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

/// The families of courier names, as they stand before ".push.apple.com".
enum class PushFamily : std::uint8_t { courier, courier2, courier_sandbox };
template <>
inline constexpr std::array<std::string_view, 3> words_of<PushFamily>{"courier", "courier2", "courier.sandbox"};

/// A proxy on the way out: "http://user:password@proxy.example:3128", by CONNECT, or "socks5://…".
struct ProxyUrl {
    enum class Kind : std::uint8_t { http, socks5 };
    Kind kind = Kind::http;
    std::string host = {};  // a name, or an address without brackets
    std::uint16_t port = 0;
    std::string user = {};
    std::string password = {};

    /// Without the password: for records and messages.
    std::string to_string() const;
    bool operator==(const ProxyUrl&) const = default;
};

struct Push {
    Place place;  // of [push]; no file: there is none
    std::vector<Located<Network>> vip;
    std::vector<Located<std::uint16_t>> ports{{5223, {}}, {443, {}}, {2197, {}}};
    std::vector<Located<PushFamily>> families{
        {PushFamily::courier, {}}, {PushFamily::courier2, {}}, {PushFamily::courier_sandbox, {}}};
    bool providers = false;
    Duration ttl = std::chrono::seconds(30);
    std::vector<Located<IpAddress>> resolver;  // empty: the upstreams of [dns], else as the system does
    std::vector<Located<Network>> allow_to;    // empty: apple_networks()
    std::vector<Located<ProxyUrl>> via;
    bool intercept = false;

    bool serves() const { return !vip.empty() || intercept; }
    bool operator==(const Push&) const = default;
};

/// Where Apple's push service is, as Apple tells administrators of firewalls.
std::vector<Network> apple_networks();

}  // namespace sallyport::config
