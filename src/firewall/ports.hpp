// Who listens on this machine, held against the policy; and what clients asked for that nobody serves.
#pragma once

#include "base/result.hpp"
#include "firewall/policy.hpp"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::firewall {

struct Listening {
    Transport transport = Transport::tcp;
    SocketAddress address;
    bool v6_only = false;
    std::string device = {};  // bound to this interface; empty: to none
    std::uint32_t inode = 0;
    uid_t uid = 0;
    unsigned sockets = 1;  // of the same process on the same port, sharing its connections
    pid_t pid = 0;  // 0: not ours to see
    std::string process = {};
    std::string unit = {};  // of the service manager; empty: none

    bool is_v6() const { return !address.ip.is_v4(); }
};

/// What the kernel knows (sock_diag), with the processes that hold it as far as this one may see them. TCP that
/// listens, and UDP that takes datagrams of anyone.
Result<std::vector<Listening>> listening();

/// The unit of the service manager that a process belongs to, by its /proc/PID/cgroup, of version 1 or 2: the innermost
/// service, socket or scope. Empty: none.
std::string unit_of(std::string_view cgroups);

/// Somebody asked for a port that is closed.
struct Wanted {
    IpAddress client;
    Transport transport = Transport::tcp;
    std::uint16_t port = 0;
    std::uint64_t tries = 0;
};
/// From the sets of our table, as listed.
std::vector<Wanted> wanted_of(std::string_view listing);

enum class Standing : std::uint8_t {
    unknown,  // there is no policy
    allowed,  // clients reach it, all or some
    denied,  // shadowed: it listens, and the policy lets nobody in
    internal,  // loopback: this machine alone
};
inline constexpr std::array<std::string_view, 4> standing_names{"unknown", "allowed", "denied", "allowed"};

struct Joined {
    Listening listening;
    Standing standing = Standing::unknown;
    const Rule* rule = nullptr;  // that lets clients in
};
/// @param policy  null: there is none
std::vector<Joined> join(const std::vector<Listening>& listening, const Policy* policy);

/// What an admin should look at: sentences for people.
std::vector<std::string> remarks(const std::vector<Joined>& joined, const Policy* policy,
                                 const std::vector<Wanted>& wanted);

}  // namespace sallyport::firewall
