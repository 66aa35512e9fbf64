// The rows of [push].
#pragma once

#include "config/rows.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

using namespace std::chrono_literals;

inline constexpr std::array push_rows{
    row<&Push::vip>("vip", "[]",
                    "The addresses that stand for Apple's couriers inside: of a network of addresses courier N has the "
                    "base and N, one address stands for all. They must be routed to this node: `ip route add local "
                    "10.100.100.0/24 dev lo`, and in the isolated network a route here."),
    row<&Push::ports>("ports", "[5223, 443, 2197]",
                      "The ports that are served there. 2195 and 2196 are those of senders of the time before 2021.",
                      {.empty_list_hint = "it would serve nobody: remove the key for Apple's ports"}),
    row<&Push::families>("families", "[\"courier\", \"courier2\", \"courier.sandbox\"]",
                         "The families of names that have such addresses. All other names are forwarded."),
    row<&Push::providers>("providers", "false",
                          "Relays senders to `api.push.apple.com` and its sandbox, too (mobile device management)."),
    row<&Push::ttl>("ttl", "\"30s\"", "How long devices may keep an answer.", {.least = 0, .most = ns(24h)}),
    row<&Push::resolver>("resolver", "[]",
                         "The name servers that couriers are looked up with: near to where connections go out. Absent: "
                         "those of `upstream` of [dns] that are asked without TLS, else as the system does."),
    row<&Push::allow_to>("allow_to", "[]",
                         "Where connections may go. Absent: 17.0.0.0/8, 2620:149:a44::/48, 2403:300:a42::/48, "
                         "2403:300:a51::/48 and 2a01:b740:a42::/48, which Apple names. Anything else is refused: this "
                         "is no open proxy."),
    row<&Push::via>("via", "[]",
                    "Proxies that connections go out by: \"http://proxy.dmz:3128\" (CONNECT), "
                    "\"socks5://user:password@proxy.dmz:1080\". Several: the next one when one fails."),
    row<&Push::intercept>("intercept", "false",
                          "Takes connections too that a rule of the firewall has redirected to these ports "
                          "(SO_ORIGINAL_DST), and relays each to where it was going."),
};

}  // namespace sallyport::config
