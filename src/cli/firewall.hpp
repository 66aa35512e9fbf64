// The verb `firewall` and the subject "fw:" of `explain`. They need no gateway: the file says what the rules are, and
// the kernel what is loaded.
#pragma once

#include "cli/verbs.hpp"
#include "config/config.hpp"

#include <cstdint>
#include <string>

namespace sallyport::cli {

struct FirewallOptions {
    std::string format = "nft";  // nft, iptables, ip6tables, request, portmap
    std::string confirm = "60s";  // within which an applied change is confirmed, or undone
    bool now = false;  // for good at once
    bool even_if_cut_off = false;
    std::uint16_t try_port = 0;    // of try-reset
    std::string try_for = "60s";
    bool same_connection = false;  // confirm from the connection that the change was made from
};

/// Does the configuration have rules at all? If not, that is said.
bool has_firewall(const Common& common, const config::Config& config);

Exit firewall_show(const Common& common, const FirewallOptions& options);
/// Exit::answer_is_no: what is loaded is not what the configuration says.
Exit firewall_diff(const Common& common);
/// Exit::answer_is_no: there is something to say against it.
Exit firewall_check(const Common& common);
Exit firewall_apply(const Common& common, const FirewallOptions& options);
Exit firewall_confirm(const Common& common, const FirewallOptions& options);
Exit firewall_rollback(const Common& common);
Exit firewall_remove(const Common& common);
/// At the machine's start: the confirmed rules again.
Exit firewall_boot(const Common& common);

/// Refuses one port by TCP reset for a while, by a table that dies with this process.
Exit firewall_try_reset(const Common& common, const FirewallOptions& options);

/// Who listens, and what the policy says of it. Exit::answer_is_no: there is something to look at.
Exit ports(const Common& common);

/// "fw:tcp:203.0.113.5->198.51.100.1:1935": would that packet pass, and why?
Exit explain_packet(const Common& common, const std::string& subject);

}  // namespace sallyport::cli
