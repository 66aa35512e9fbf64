// The rows of [stun], [turn] and [[turn.user]].
#pragma once

#include "config/rows.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

inline constexpr std::array stun_rows{
    row<&Stun::listen>("listen", "[]",
                       "Where STUN is answered over UDP. An address that `udp` of [turn] names too is one socket."),
    row<&Stun::alternate_port>(
        "alternate_port", "",
        "A second port on the addresses of `listen`, which then must be two of a family on one port: clients can learn "
        "with them how their NAT behaves (RFC 5780, RFC 3489). Absent: they can't."),
    row<&Stun::kernel_nat>("kernel_nat", "[]",
                           "Networks whose clients this machine's own kernel hides behind an address of its own: they "
                           "are told the address "
                           "and port that it has mapped theirs to, where it has. Over UDP, on every listener. Linux "
                           "lets only a process with "
                           "CAP_NET_ADMIN ask, which is kept for that."),
};

inline constexpr std::array turn_rows{
    row<&Turn::udp>("udp", "[]", "Where clients come to over UDP."),
    row<&Turn::tcp>("tcp", "[]", "Where clients come to over TCP."),
    row<&Turn::tls>("tls", "[]", "Where clients come to over TLS, with the certificates of [[certificate]]."),
    row<&Turn::dtls>("dtls", "[]", "Where clients come to over DTLS (UDP), with the same certificates."),
    row<&Turn::realm>("realm", "",
                      "The realm of users and passwords, your domain as a rule. Needed where there is a listener. "
                      "With it, `mux` of [listen] takes TURN too."),
    row<&Turn::tcp_relays>("tcp_relays", "false",
                           "Whether clients that come over TCP or TLS may have relays over TCP as well (RFC 6062), on "
                           "the TCP ports of `relay_ports`."),
    row<&Turn::relay_ports>("relay_ports", "\"49152-65535\"",
                            "The ports of relays, taken at random. A firewall must let them in."),
    row<&Turn::relay_address>("relay_address", "[]",
                              "The own addresses that relays are bound to, one of each family. Absent: the one that "
                              "the client came to. What `nat_map` of [node] maps to them is what clients are told."),
    row<&Turn::shared_secret>("shared_secret", "[]",
                              "Secrets of servers that hand out time-limited credentials (Nextcloud Talk, Synapse, "
                              "Jitsi, LiveKit); several while one replaces another."),
    row<&Turn::shared_secret_file>("shared_secret_file", "[]", "Files that hold one such secret each."),
    row<&Turn::shared_secret_hash>("shared_secret_hash", "\"sha1\"",
                                   "What the passwords of time-limited credentials are made with. What is in use "
                                   "elsewhere is \"sha1\"."),
    row<&Turn::refresh_after_expiry>(
        "refresh_after_expiry", "true",
        "Whether a call goes on when the time-limited credential that began it has expired."),
    row<&Turn::peer_deny>("peer_deny", "[]",
                          "Networks that are not relayed to, added to the built-in list of private and special ones."),
    row<&Turn::peer_allow>("peer_allow", "[]",
                           "Exceptions. The most specific network decides, and of one in both lists `peer_deny`: "
                           "`0.0.0.0/0` opens no private network."),
    row<&Turn::allocations_per_user>("allocations_per_user", "10",
                                     "How many allocations one user may hold; time-limited credentials count by the "
                                     "name behind their time. 0: no limit.",
                                     {.most = 100'000}),
    row<&Turn::allocations>("allocations", "0", "How many there may be in all. 0: no limit.", {.most = 1'000'000}),
    row<&Turn::longest_lifetime>("longest_lifetime", "\"1h\"",
                                 "The longest time for which an allocation is given without being refreshed.",
                                 {.least = ns(std::chrono::seconds(1)), .most = ns(std::chrono::hours(24))}),
    row<&Turn::bits_per_second_per_allocation>("bits_per_second_per_allocation", "\"0\"",
                                               "What one allocation may relay, both ways together. \"0\": no limit."),
    row<&Turn::bits_per_second_per_user>("bits_per_second_per_user", "\"0\"",
                                         "What all allocations of one user may relay. \"0\": no limit."),
    row<&Turn::bits_per_second>(
        "bits_per_second", "\"0\"",
        "What this node may relay. \"0\": no limit. Datagrams beyond a limit are lost; relays over TCP "
        "are read no faster than it lets them."),
    row<&Turn::bindings_per_second_per_client>(
        "bindings_per_second_per_client", "100",
        "How many STUN requests of one address (IPv6: of a /64) are answered on one thread. 0: all."),
    row<&Turn::challenges_per_second_per_client>(
        "challenges_per_second_per_client", "100",
        "How many requests without valid credentials of one address are answered on one thread. 0: all."),
};

inline constexpr std::array turn_user_rows{
    row<&TurnUser::name>("name", "", "The user's name.", {.required = true}),
    row<&TurnUser::password>("password", "", "The password. This or `password_file`."),
    row<&TurnUser::password_file>("password_file", "", "A file that holds the password."),
};

}  // namespace sallyport::config
