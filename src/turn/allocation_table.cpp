#include "turn/allocation_table.hpp"

#include <memory>

namespace sallyport::turn {

std::uint32_t AllocationTable::add(const Link& link) {
    std::uint32_t index = 0;
    if (free_.empty()) {
        index = static_cast<std::uint32_t>(places_.size());
        places_.emplace_back();
    } else {
        index = free_.back();
        free_.pop_back();
    }
    places_[index].link = link;
    by_link_.emplace(link, index);
    return index;
}

void AllocationTable::remove(std::uint32_t index) {
    Allocation& place = places_[index];
    by_link_.erase(place.link);
    std::destroy_at(&place);  // what it holds goes with it
    std::construct_at(&place);
    free_.push_back(index);
}

Allocation* AllocationTable::find(const Link& link) {
    const auto found = by_link_.find(link);
    return found == by_link_.end() ? nullptr : &places_[found->second];
}

void AllocationTable::add_relay(RelayId id) { by_relay_.emplace(places_[id.allocation].relays[id.is_v6].own, id); }

const RelayId* AllocationTable::find_relay(const SocketAddress& own) const {
    const auto found = by_relay_.find(own);
    return found == by_relay_.end() ? nullptr : &found->second;
}

}  // namespace sallyport::turn
