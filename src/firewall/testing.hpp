// Configurations that the tests of this room share, and other programs as judges of what it writes.
#pragma once

#include "config/config.hpp"

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace sallyport::firewall::testing {

template <class T>
config::Located<T> at(T value, unsigned line = 1) {
    return {std::move(value), {"sallyport.toml", line, 1}};
}

inline config::ListenAddress anywhere(std::uint16_t port) { return {{{}, port}, true}; }
inline config::ListenAddress only(std::string_view address) { return {*SocketAddress::parse(address), false}; }
inline Network network(std::string_view text) { return *Network::parse(text); }

/// A box with one interface before whatever: web on all addresses, a directory on one, SSH for one network.
inline config::Config one_interface() {
    config::Config config;
    config.firewall.place = {"sallyport.toml", 1, 1};
    config.listen.http = {at(anywhere(80), 3)};
    config.listen.https = {at(anywhere(443), 4)};
    config.listen.ldap = {at(only("192.0.2.1:389"), 5), at(only("[2001:db8::1]:389"), 6)};
    config.listen.sip = {at(only("127.0.0.1:5060"), 7)};
    config::Service web;
    web.names = {at(std::string("hq.example.com")), at(std::string("www.example.com"))};
    web.targets = {at(config::Target{config::Target::Kind::address, *IpAddress::parse("172.16.0.10"), "172.16.0.10"}),
                   at(config::Target{config::Target::Kind::host, {}, "pbx.example.com"})};
    web.plain_port = 80;
    web.tls_port = 443;
    config.services = {web};
    config.admin.listen = {at(anywhere(9443), 8)};
    config.guard.always_ban = {at(network("203.0.113.0/24")), at(network("2001:db8:bad::/48"))};
    config.guard.never_ban = {at(network("203.0.113.7"))};
    config.firewall.admin_from = {at(network("198.51.100.0/24")), at(network("2001:db8:5::/48"))};
    return config;
}

/// A router with clients inside that may reach Apple, and a Kerberos server behind it.
inline config::Config router() {
    config::Config config = one_interface();
    config.node.nat_map = {at(config::NatMapping{*IpAddress::parse("203.0.113.10"), *IpAddress::parse("192.0.2.1")})};
    config.firewall.inside = {at(config::Interface{"eth1"}), at(config::Interface{"eth2"})};
    config.firewall.outside = {at(config::Interface{"eth0"})};
    config.firewall.deny = config::Deny::drop;
    config.firewall.admin_from = {};
    config.firewall.presets = {at(config::Passage::apns, 20), at(config::Passage::dns, 20)};
    config::FirewallForward kerberos;
    kerberos.place = {"sallyport.toml", 30, 1};
    kerberos.protocols = {at(config::Transport::tcp), at(config::Transport::udp)};
    kerberos.port = 88;
    kerberos.to = at(*SocketAddress::parse("172.16.0.40:88"));
    config::FirewallForward six = kerberos;
    six.protocols = {at(config::Transport::tcp)};
    six.port = 749;
    six.to = at(*SocketAddress::parse("[fd00::40]:749"));
    config.firewall_forwards = {kerberos, six};
    config::FirewallOpen snmp;
    snmp.name = at(std::string("snmpd \"for\" the NOC"));
    snmp.protocols = {at(config::Transport::udp), at(config::Transport::tcp)};
    snmp.ports = {at(std::uint16_t{161}), at(std::uint16_t{162}), at(std::uint16_t{199})};
    snmp.from = {at(network("10.9.0.0/16")), at(network("10.9.8.0/24"))};
    config.firewall_opens = {snmp};
    return config;
}

/// What a program says to a text: its exit status and all that it prints. Only for a text that is no secret.
struct Said {
    int status = -1;
    std::string text;
};

inline Said ask(const std::string& command, const std::string& input) {
    char name[] = "/tmp/sallyport-firewall-XXXXXX";
    const int file = mkstemp(name);
    if (file < 0) return {};
    std::ofstream(name) << input;
    Said said;
    if (FILE* pipe = popen((command + " < " + name + " 2>&1").c_str(), "r")) {
        char part[4096];
        while (const std::size_t got = std::fread(part, 1, sizeof part, pipe)) said.text.append(part, got);
        said.status = WEXITSTATUS(pclose(pipe));
    }
    std::remove(name);
    return said;
}

/// Whether this machine lets us have a network namespace to load rules in.
inline bool has_namespaces() { return ask("unshare --net true", "").status == 0; }

}  // namespace sallyport::firewall::testing
