// What every data loop reads: the banned clients and the lists.
#pragma once

#include "base/network_map.hpp"
#include "guard/ban_index.hpp"

#include <memory>

namespace sallyport::guard {

/// Networks, as an administrator wrote them.
struct Lists {
    NetworkSet banned;
    NetworkSet allowed;  // beats every ban
};

/// The index is one for all and changes as bans come and go; the lists are made anew when they change.
struct Bans {
    std::shared_ptr<const BanIndex> index;
    Lists lists;

    bool hold(const IpAddress& address) const {
        const bool listed = !lists.banned.empty() && lists.banned.contains(address);
        const bool banned = index->contains(ClientKey(address)) || listed;
        return banned && !lists.allowed.contains(address);
    }
};

}  // namespace sallyport::guard
