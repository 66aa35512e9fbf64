// The connection that an admin works over: the one thing that a change of the firewall must not cut.
#pragma once

#include "firewall/policy.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::firewall {

struct Session {
    SocketAddress client;
    SocketAddress server;
    std::string text;  // as SSH_CONNECTION has it
};

/// "198.51.100.7 50022 192.0.2.1 22", as sshd leaves it in SSH_CONNECTION.
std::optional<Session> parse_session(std::string_view text);

/// This process's, or that of the first of its ancestors that has one: sudo takes the variable away.
std::optional<Session> own_session();

/// The side that packets of this address come from, by the way that the kernel would answer. Without zones: outside.
Zone zone_of(const Policy& policy, const IpAddress& address);

/// Whether that client could connect anew under this policy; else why not, for people.
std::optional<std::string> cut_off(const Policy& policy, const Session& session);

}  // namespace sallyport::firewall
