#include "diagnose/flow_table.hpp"

#include <cstring>
#include <utility>

namespace sallyport::diagnose {

namespace {

std::uint64_t mix(std::uint64_t x) {
    x = (x ^ x >> 32) * 0xD6E8FEB86659FD93;
    return (x ^ x >> 32) * 0xD6E8FEB86659FD93;
}

std::uint64_t hash_of(const SocketAddress& end) {
    std::uint64_t high = 0, low = 0;
    std::memcpy(&high, end.ip.bytes().data(), 8);
    std::memcpy(&low, end.ip.bytes().data() + 8, 8);
    return mix(low + mix(high + end.port));
}

// The same from both ends: the sum does not know an order.
std::uint64_t hash_of(const SocketAddress& a, const SocketAddress& b, std::uint8_t protocol, std::uint8_t vantage) {
    const std::uint64_t sum = hash_of(a) + hash_of(b) + protocol + 256UL * vantage;
    return sum ^ sum >> 29;
}

bool same(const SocketAddress& a, const SocketAddress& b) {
    return a.port == b.port && std::memcmp(a.ip.bytes().data(), b.ip.bytes().data(), 16) == 0;
}

}  // namespace

FlowTable::FlowTable(std::size_t limit, std::size_t most_events)
    : limit_(limit), most_events_(most_events), index_(4096) {}

std::size_t FlowTable::slot_of(const SocketAddress& a, const SocketAddress& b, std::uint8_t protocol,
                               std::uint8_t vantage) const {
    const std::size_t mask = index_.size() - 1;
    for (std::size_t slot = hash_of(a, b, protocol, vantage) & mask;; slot = (slot + 1) & mask) {
        if (index_[slot] == 0) return slot;
        const Flow& flow = at(index_[slot] - 1);
        if (flow.protocol != protocol || flow.vantage != vantage) continue;
        if ((same(flow.client, a) && same(flow.server, b)) || (same(flow.client, b) && same(flow.server, a)))
            return slot;
    }
}

FlowTable::Found FlowTable::find(const SocketAddress& source, const SocketAddress& destination, std::uint8_t protocol,
                                 std::uint8_t vantage) const {
    const std::size_t slot = slot_of(source, destination, protocol, vantage);
    if (index_[slot] == 0) return {};
    Flow& flow = at(index_[slot] - 1);
    return {&flow, same(flow.client, source) ? Side::client : Side::server};
}

Flow& FlowTable::add(const SocketAddress& client, const SocketAddress& server, std::uint8_t protocol,
                     std::uint8_t vantage) {
    if (added_ - forgotten_ == limit_) forget_oldest();
    if (2 * (indexed_ + 1) > index_.size()) grow();
    const std::size_t place = added_ % limit_;
    if (place / chunk >= chunks_.size()) chunks_.push_back(std::make_unique<Flow[]>(chunk));
    const std::size_t slot = slot_of(client, server, protocol, vantage);
    if (index_[slot] == 0) ++indexed_;
    index_[slot] = static_cast<std::uint32_t>(place + 1);
    Flow& flow = at(added_);
    flow = {};
    flow.client = client;
    flow.server = server;
    flow.protocol = protocol;
    flow.vantage = vantage;
    flow.number = static_cast<std::uint32_t>(added_++);
    return flow;
}

void FlowTable::forget_oldest() {
    const Flow& oldest = at(forgotten_);
    const std::size_t slot = slot_of(oldest.client, oldest.server, oldest.protocol, oldest.vantage);
    // A younger flow of the same endpoints may have taken its place in the index.
    if (index_[slot] == forgotten_ % limit_ + 1) erase_slot(slot);
    if (oldest.last_event != none) {
        events_[oldest.last_event].next = free_events_;
        free_events_ = oldest.first_event;
    }
    ++forgotten_;
}

// Moves back what stands behind, so that no search ends early (Knuth, volume 3, algorithm 6.4R).
void FlowTable::erase_slot(std::size_t slot) {
    const std::size_t mask = index_.size() - 1;
    index_[slot] = 0;
    --indexed_;
    for (std::size_t next = (slot + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
        const Flow& flow = at(index_[next] - 1);
        const std::size_t home = hash_of(flow.client, flow.server, flow.protocol, flow.vantage) & mask;
        if (((next - home) & mask) < ((next - slot) & mask)) continue;
        index_[slot] = std::exchange(index_[next], 0);
        slot = next;
    }
}

void FlowTable::grow() {
    const auto old = std::exchange(index_, std::vector<std::uint32_t>(2 * index_.size()));
    for (const std::uint32_t entry : old) {
        if (entry == 0) continue;
        const Flow& flow = at(entry - 1);
        index_[slot_of(flow.client, flow.server, flow.protocol, flow.vantage)] = entry;
    }
}

std::uint32_t FlowTable::room_for_event() {
    if (free_events_ != none) return std::exchange(free_events_, events_[free_events_].next);
    if (events_.size() >= most_events_) return ++lost_events_, none;
    events_.emplace_back();
    return static_cast<std::uint32_t>(events_.size() - 1);
}

void FlowTable::note(Flow& flow, const Event& event) {
    if (flow.events == max_events) return;
    const std::uint32_t index = room_for_event();
    if (index == none) return;
    events_[index] = event;
    if (flow.last_event != none) events_[flow.last_event].next = index;
    if (flow.first_event == none) flow.first_event = index;
    flow.last_event = index;
    ++flow.events;
}

std::uint32_t FlowTable::keep(const IcmpError& error) {
    if (const auto known = kept_errors_.find(error); known != kept_errors_.end()) return known->second;
    if (errors_.size() >= max_icmp_errors) return none;
    errors_.push_back(error);
    return kept_errors_.emplace(error, static_cast<std::uint32_t>(errors_.size() - 1)).first->second;
}

}  // namespace sallyport::diagnose
