// The rows of [egress] and [[egress.pin]].
#pragma once

#include "config/rows.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

using namespace std::chrono_literals;

inline constexpr std::array egress_rows{
    row<&Egress::pool>("pool", "[]",
                       "The addresses that connections go out from, every one of these networks. They must be this "
                       "node's, or routed to it: `ip route add local 192.0.2.16/28 dev lo`. Families are independent; "
                       "of one without a pool the system chooses."),
    row<&Egress::mode>("mode", "\"shared\"",
                       "\"shared\": several may have one address. \"exclusive\": nobody shares one, and who comes when "
                       "all are given is refused."),
    row<&Egress::seed>("seed", "\"\"",
                       "Gateways with the same seed and the same pool give the same user the same address, without "
                       "talking to each other. Keep it to yourself: it says who shares an address with whom.",
                       {.may_be_empty = true}),
    row<&Egress::clients>("clients", "[]", "Whose connections this is about. Empty: everybody's."),
    row<&Egress::remember_for>("remember_for", "\"30d\"",
                               "How long an address that was given is kept for somebody who is not seen.",
                               {.least = ns(1s), .most = ns(std::chrono::days(365) * 10)}),
    row<&Egress::leases>("leases", "[]",
                         "Leases files of DHCP servers, which tell the device behind an address: dnsmasq's, ISC "
                         "dhcpd's, Kea's CSV. Looked at again when they change."),
    row<&Egress::radius>("radius", "",
                         "Where RADIUS accounting is taken (UDP), which tells the user behind an address."),
    row<&Egress::radius_secret>("radius_secret", "", "The secret shared with the access servers."),
    row<&Egress::radius_secret_file>("radius_secret_file", "", "A file that holds it, instead."),
};

inline constexpr std::array egress_pin_rows{
    row<&EgressPin::client>("client", "", "The address of a client."),
    row<&EgressPin::network>("network", "", "Or a network of clients; the narrowest holds."),
    row<&EgressPin::mac>("mac", "", "Or a device, by its hardware address; `leases` or `radius` tell where it is."),
    row<&EgressPin::user>("user", "", "Or a user; `radius` tells where they are. This one holds over the others."),
    row<&EgressPin::source>("source", "", "The address that its connections go out from.", {.required = true}),
};

}  // namespace sallyport::config
