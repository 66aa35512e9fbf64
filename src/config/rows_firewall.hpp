// The rows of [firewall], [[firewall.open]] and [[firewall.forward]].
#pragma once

#include "config/rows.hpp"

#include <array>

namespace sallyport::config {

inline constexpr std::array firewall_rows{
    row<&Firewall::inside>("inside", "[]", "The interfaces towards clients of our own. With them comes `outside`."),
    row<&Firewall::outside>("outside", "[]", "The interfaces towards everybody else."),
    row<&Firewall::deny>("deny", "\"reset\"",
                         "How what is not served is refused: \"reset\", TCP by a reset and the rest by ICMP, so that "
                         "nobody waits; \"icmp\", all by ICMP, which kernels send about once a second to each client; "
                         "\"drop\", not at all."),
    row<&Firewall::deny_inside>("deny_inside", "\"reset\"", "The same, for what comes from inside."),
    row<&Firewall::deny_rate>("deny_rate", "1000",
                              "How many refusals a second each side gets at most; what is above is dropped, so that "
                              "nobody makes this machine answer a forged sender without end.",
                              {.least = 1, .most = 10'000}),
    row<&Firewall::fast_fail>("fast_fail", "[113, 1935]",
                              "TCP ports that are refused by a reset whatever `deny` says: those that programs try "
                              "first, and go on from at once when they are refused."),
    row<&Firewall::admin_ports>("admin_ports", "[22]", "TCP ports that this machine is looked after by."),
    row<&Firewall::admin_from>("admin_from", "[]",
                               "Who may reach them, and the page of [admin]. Absent: whoever comes from inside."),
    row<&Firewall::presets>("presets", "[]",
                            "What clients inside may reach outside through this node: \"apns\", Apple's push service; "
                            "\"dns\"; \"ntp\"; \"web\"; \"anything\"."),
    row<&Firewall::masquerade>("masquerade", "true",
                               "Whether clients inside are seen outside by this node's IPv4 address."),
    row<&Firewall::nat_ports>("nat_ports", "\"32768-49151\"",
                              "The ports of this node that their connections get. Kept apart from `relay_ports` of "
                              "[turn]."),
    row<&Firewall::restore>("restore", "false",
                            "Whether the running gateway puts the confirmed rules back when another program takes them "
                            "out of the kernel, rather than tell of it alone. Takes a start as root."),
    row<&Firewall::state_dir>(
        "state_dir", "\"/var/lib/sallyport-firewall\"",
        "Where the applied rules are kept for the next start. Root's alone, for root loads them."),
};

inline constexpr Limits some_protocol{.empty_list_hint = "name \"tcp\", \"udp\" or both"};

inline constexpr std::array firewall_open_rows{
    row<&FirewallOpen::name>("name", "", "What it is, for whoever reads the rules.", {.required = true}),
    row<&FirewallOpen::protocols>("protocol", "\"tcp\"", "\"tcp\", \"udp\" or both.", some_protocol),
    row<&FirewallOpen::ports>(
        "port", "", "Its ports.",
        {.required = true, .empty_list_hint = "name the ports: an empty list would open all of them"}),
    row<&FirewallOpen::from>("from", "", "Who may reach it. Absent: anyone who is not banned.",
                             {.empty_list_hint = "it would admit nobody: remove the key to admit everyone"}),
};

inline constexpr std::array firewall_forward_rows{
    row<&FirewallForward::protocols>("protocol", "\"tcp\"", "\"tcp\", \"udp\" or both.", some_protocol),
    row<&FirewallForward::port>("port", "", "The port of this node.", {.required = true}),
    row<&FirewallForward::to>("to", "",
                              "Who serves it, and on which port. Its answers must come back through this node.",
                              {.required = true}),
};

}  // namespace sallyport::config
