// The rows of [listen] and [[service]]: what the gate serves.
#pragma once

#include "config/names.hpp"
#include "config/rows.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

using namespace std::chrono_literals;

inline constexpr std::array listen_rows{
    row<&Listen::http>("http", "[]", "HTTP, plain."),
    row<&Listen::https>("https", "[]", "HTTP in TLS."),
    row<&Listen::sip>("sip", "[]", "SIP over TCP."),
    row<&Listen::sips>("sips", "[]", "SIP in TLS."),
    row<&Listen::ldap>("ldap", "[]", "LDAP, plain; a client may ask for TLS there (StartTLS), which ends here."),
    row<&Listen::ldaps>("ldaps", "[]", "LDAP in TLS."),
    row<&Listen::h323>("h323", "[]", "H.323 by H.460.17, over TCP."),
    row<&Listen::h323s>("h323s", "[]", "H.323 by H.460.17, in TLS."),
    row<&Listen::mux>("mux", "[]",
                      "All of the above and TURN (where [turn] has a `realm`) on one port, with TLS or without: what "
                      "is spoken is told by the first bytes."),
    row<&Listen::proxy_from>("proxy_from", "[]",
                             "Whose connections begin with a PROXY header (version 1 or 2): the client is the one that "
                             "it names. From these a connection without one is refused; from anyone else a header is "
                             "no valid message."),
    row<&Listen::trusted_proxies>("trusted_proxies", "[]",
                                  "Whose `X-Forwarded-For` and `Forwarded` are kept; everyone else's are replaced."),
    row<&Listen::acme_challenges>("acme_challenges", "\"\"",
                                  "A directory whose files answer `/.well-known/acme-challenge/` under every name, "
                                  "before any service is asked.",
                                  {.may_be_empty = true}),
    row<&Listen::max_connections>("max_connections", "0",
                                  "How many connections are open at once; more wait in the system's queue. 0: as many "
                                  "as there are file descriptors for."),
    row<&Listen::max_connections_per_client>(
        "max_connections_per_client", "0",
        "How many of them one client may hold, an IPv4 address or an IPv6 /64; more are reset. 0: three quarters of "
        "all, so that nobody can take every place."),
};

inline constexpr Limits http_only{.empty_list_hint = "it would admit nothing: remove the key to admit every URL",
                                  .protocols = bit(Protocol::http)};

inline constexpr std::array service_rows{
    row<&Service::names>(
        "name", "",
        "The names that requests ask for. `*.example.com`: every name below it that no other service names.",
        {.required = true, .empty_list_hint = "a service needs a name"}),
    row<&Service::protocol>("protocol", "", "The protocol that it is asked for in.", {.required = true}),
    row<&Service::targets>(
        "target", "",
        "Where it goes: an address, a host name, or \"builtin:welcome\", the gateway's own page. Several: as `balance` "
        "says; one that fails is left out until it answers again.",
        {.required = true, .empty_list_hint = "a service needs a target"}),
    row<&Service::plain_port>("plain_port", "",
                              "The target's port without TLS. With `tls_port` too, encryption stays as it came; alone, "
                              "everything goes plain."),
    row<&Service::tls_port>("tls_port", "", "The target's port with TLS. Alone, everything goes by TLS."),
    row<&Service::allow_from>("allow_from", "", "Who may use it. Absent: anyone who is not banned.",
                              {.empty_list_hint = "it would admit nobody: remove the key to admit everyone"}),
    row<&Service::allow_url>(
        "allow_url", "",
        "Beginnings of the paths that may be asked for, case sensitive. A rule that ends in `/` admits no further `/` "
        "after it, unlike nginx's. Absent, and no `preset`: every path.",
        {.empty_list_hint = http_only.empty_list_hint, .protocols = http_only.protocols, .check = check_url_rule}),
    row<&Service::presets>("preset", "", "Named lists of allowed URLs, added to `allow_url`.", http_only),
    row<&Service::is_default>(
        "default", "false", "Takes what names no service in its first message. One for each protocol.",
        {.protocols = bit(Protocol::http) | bit(Protocol::sip) | bit(Protocol::ldap) | bit(Protocol::h323)}),
    row<&Service::source>("source", "", "The own address that targets are dialed from. Absent: the system chooses."),
    row<&Service::connect_timeout>("connect_timeout", "\"5s\"", "How long one target may take to accept a connection.",
                                   {.least = ns(100ms), .most = ns(10min)}),
    row<&Service::idle_timeout>("idle_timeout", "\"10m\"",
                                "How long a request may wait for its answer, or for more of a body. \"0s\": for ever. "
                                "Tunnels (WebSocket) have no "
                                "such limit.",
                                {.least = 0, .most = ns(std::chrono::days(365))}),
    row<&Service::target_ca>(
        "target_ca", "", "Authorities that the target's certificate is checked against, PEM. Absent: the system's."),
    row<&Service::target_verify>("target_verify", "true", "Whether the target's certificate is checked at all."),
    row<&Service::target_certificate>("target_certificate", "",
                                      "The [[certificate]] that is shown to a target that asks for one."),
    row<&Service::balance>(
        "balance", "\"failover\"",
        "How one of several targets is chosen: \"failover\", the first that works; \"round_robin\", one "
        "after the other; \"client\", always the same for a client (IPv6: for a /64)."),
    row<&Service::health>(
        "health", "",
        "How targets are tried while nobody asks: \"tcp\" connects to each port, \"tls\" shakes hands, "
        "\"http /path\" wants an answer below 400. Two failures in a row take a target out, two good "
        "answers bring it back. Absent: only targets that traffic found failing are tried."),
    row<&Service::health_interval>("health_interval", "\"5s\"", "The time between two tries of a target.",
                                   {.least = ns(250ms), .most = ns(1h)}),
    row<&Service::max_connections>("max_connections", "0",
                                   "How many connections its targets carry at once, together; more are refused. With a "
                                   "limit none is kept for the next request. 0: no limit."),
    row<&Service::proxy_protocol>("proxy_protocol", "\"none\"",
                                  "Tells the target the client's address by a PROXY header of this version. No "
                                  "connection is then shared by clients."),
    row<&Service::client_certificate>(
        "client_certificate", "\"none\"",
        "Whether clients are asked for a certificate: \"required\" refuses those without one that [trust] vouches for; "
        "\"optional\" tells the target what was shown. In both, Client-Cert and X-SSL-Client-* are ours alone.",
        {.protocols = bit(Protocol::http)}),
    row<&Service::redirect_to_https>("redirect_to_https", "false",
                                     "Answers plain requests with a redirect to the same URL by https.",
                                     {.protocols = bit(Protocol::http)}),
    row<&Service::route_header>(
        "route_header", "false",
        "Puts the gateway into the route of SIP dialogs (Record-Route, Path), with the public address that nat_map of "
        "[node] gives it.",
        {.protocols = bit(Protocol::sip)}),
    row<&Service::check_certificate>(
        "check_certificate", "false",
        "A client whose certificate is valid for the registering name goes by TLS, any other goes plain.",
        {.protocols = bit(Protocol::h323) | bit(Protocol::sip)}),
    row<&Service::registration_name>(
        "registration_name", "[\"h323_id\", \"url_id\", \"e164\"]",
        "Which aliases of a registration `check_certificate` holds the certificate against: all ids of these kinds, or "
        "all numbers where there is no id.",
        {.protocols = bit(Protocol::h323)}),
};

}  // namespace sallyport::config
