// Started as root, the gateway binds its ports and then becomes an ordinary user who keeps only the capabilities that
// its configuration needs.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::cli {

struct Identity {
    std::string user = {};    // as who it runs on
    bool dropped = false;     // was root, and is no more
    std::string note = {};    // worth a warning; empty: none
};

/// Makes `directories` where they are missing, and gives them to `user`, when we are root and the account exists.
Result<void> prepare_directories(const std::vector<std::filesystem::path>& directories, const std::string& user);

/// Becomes `user` when we are root; keeps CAP_NET_BIND_SERVICE alone, so that a reload may add a port below 1024. Where
/// there is no such account we stay root, with that capability alone, and the note says so. Not root: nothing changes.
enum class NetAdmin : std::uint8_t {
    dropped,
    kept,  // for ourselves
    kept_for_programs  // and for those that we run
};

/// @param net_admin  what becomes of CAP_NET_ADMIN
Result<Identity> drop_privileges(const std::string& user, NetAdmin net_admin);

/// Does this process hold CAP_NET_BIND_SERVICE?
bool may_bind_low_ports();

/// And CAP_NET_ADMIN?
bool may_rule_kernel();
inline constexpr std::string_view lacks_net_admin =
    "guard.enforce is \"nftables\", which takes CAP_NET_ADMIN: start as root, or give it to the unit "
    "(AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_ADMIN)";

inline constexpr std::string_view may_not_ask_kernel =
    "stun.kernel_nat takes CAP_NET_ADMIN: start as root, or give it to the unit "
    "(AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_NET_ADMIN)";

/// And is it root, to whom the state of [firewall] belongs?
bool may_change_firewall();

}  // namespace sallyport::cli
