// The rows of [dns] and of the tables within it.
#pragma once

#include "config/rows.hpp"

#include <array>
#include <chrono>

namespace sallyport::config {

using namespace std::chrono_literals;

inline constexpr Limits some_upstream{.required = true, .empty_list_hint = "name a server that is to be asked"};

inline constexpr std::array dns_rows{
    row<&Dns::listen>("listen", "[]", "Where questions are answered, by UDP and by TCP."),
    row<&Dns::upstream>("upstream", "[]",
                        "Who is asked for all other names: of several the fastest, and the next one where one is "
                        "silent or fails. Absent: nobody, and other names are refused."),
    row<&Dns::clients>("clients", "", "Who may ask; others are refused. Absent: this machine and private networks.",
                       {.empty_list_hint = "it would answer nobody: remove the key for private networks"}),
    row<&Dns::deny>("deny", "[]",
                    "Names that do not exist here, with all below them, such as \"use-application-dns.net\" and "
                    "\"mask.icloud.com\", without which browsers and phones keep to this name server."),
    row<&Dns::rebind_allow>("rebind_allow", "[]",
                            "Domains whose names may have private addresses although a name server outside says so. "
                            "From all others such answers are kept out; domains of [[dns.forward]] are trusted."),
    row<&Dns::upstream_ca>("upstream_ca", "\"\"",
                           "Authorities that upstreams with TLS are checked against, PEM. Absent: the system's.",
                           {.may_be_empty = true}),
    row<&Dns::cache>("cache", "10000", "How many answers each thread keeps. 0: none.", {.most = 10'000'000}),
    row<&Dns::stale_for>("stale_for", "\"1d\"",
                         "How long an answer may be served past its time while no upstream answers. \"0s\": never.",
                         {.least = 0, .most = ns(std::chrono::days(7))}),
    row<&Dns::answers_per_second>("answers_per_second", "0",
                                  "How many answers one client network (IPv4: /24, IPv6: /56) gets by UDP each second; "
                                  "past that, every second one is cut so that the client comes by TCP. 0: any number.",
                                  {.most = 1'000'000}),
    row<&Dns::log_queries>("log_queries", "false", "One record for each question."),
};

inline constexpr std::array dns_view_rows{
    row<&DnsView::name>("name", "", "What [[dns.record]] and [[dns.forward]] call it.", {.required = true}),
    row<&DnsView::clients>("clients", "", "The networks of its clients.",
                           {.required = true, .empty_list_hint = "a view needs clients"}),
    row<&DnsView::upstream>("upstream", "", "Who is asked for its clients. Absent: upstream of [dns].",
                            {.empty_list_hint = "remove the key to ask upstream of [dns]"}),
};

inline constexpr std::array dns_forward_rows{
    row<&DnsForward::domains>("domain", "", "The domain, with all below it.",
                              {.required = true, .empty_list_hint = "name a domain"}),
    row<&DnsForward::upstream>("upstream", "", "Who is asked.", some_upstream),
    row<&DnsForward::views>("view", "", "The views that it holds in. Absent: every one.",
                            {.empty_list_hint = "it would hold nowhere: remove the key for every view"}),
};

inline constexpr std::array dns_record_rows{
    row<&DnsRecord::names>("name", "",
                           "The name. `*.example.com`: every name below it that no longer domain or record says "
                           "something about.",
                           {.required = true, .empty_list_hint = "a record needs a name"}),
    row<&DnsRecord::addresses>("address", "[]",
                               "Its addresses, IPv4 and IPv6. None: the name exists, and has nothing."),
    row<&DnsRecord::views>("view", "",
                           "The views that it holds in; there it stands in the place of one for every view. Absent: "
                           "every one.",
                           {.empty_list_hint = "it would hold nowhere: remove the key for every view"}),
    row<&DnsRecord::ttl>("ttl", "\"5m\"", "How long clients may keep the answer, in whole seconds.",
                         {.least = 0, .most = ns(std::chrono::days(7))}),
};

}  // namespace sallyport::config
