// Domain names and what belongs to each, for look-ups with a NameKey: one probe of a flat table, whatever its size.
// Built once, then only read.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/name.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::dns {

template <class T>
class NameTable {
public:
    /// What belongs to the name, made where there is nothing yet. Valid until the next call.
    /// @param key      of the name with the seed of all later look-ups
    /// @param skipped  labels at its front that are left out
    T& at(const NameKey& key, std::size_t skipped = 0) {
        if (slots_.size() < 2 * (entries_.size() + 1)) grow();
        Slot& slot = place_of(key.ending(skipped), key.hash(skipped));
        if (slot.entry == 0) {
            const Bytes name = key.ending(skipped);
            entries_.push_back(
                {static_cast<std::uint32_t>(names_.size()), static_cast<std::uint16_t>(name.size()), {}});
            names_.insert(names_.end(), name.begin(), name.end());
            slot = {key.hash(skipped), static_cast<std::uint32_t>(entries_.size())};
            most_labels_ = std::max(most_labels_, key.labels() - skipped);
        }
        return entries_[slot.entry - 1].value;
    }

    /// Null when the name is not in the table.
    const T* find(const NameKey& key, std::size_t skipped = 0) const {
        if (entries_.empty()) return nullptr;
        const Slot& slot = place_of(key.ending(skipped), key.hash(skipped));
        return slot.entry == 0 ? nullptr : &entries_[slot.entry - 1].value;
    }

    /// The longest ending of the name for which `accept` says yes; null when there is none.
    /// @param from  labels at its front that are left out of even the longest
    template <class Accept>
    const T* find_ending(const NameKey& key, std::size_t from, Accept&& accept) const {
        if (entries_.empty()) return nullptr;
        const std::size_t longest = key.labels() > most_labels_ ? key.labels() - most_labels_ : 0;
        for (std::size_t skipped = std::max(from, longest); skipped <= key.labels(); ++skipped) {
            const T* found = find(key, skipped);
            if (found != nullptr && accept(*found, skipped)) return found;
        }
        return nullptr;
    }

    template <class F>
    void for_each(F&& f) {
        for (auto& entry : entries_) f(Bytes(names_).subspan(entry.name, entry.size), entry.value);
    }

    std::size_t size() const { return entries_.size(); }
    bool empty() const { return entries_.empty(); }

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t entry = 0;  // its place, from 1; 0: free
    };
    struct Entry {
        std::uint32_t name;  // where it begins in names_
        std::uint16_t size;
        T value;
    };

    // The slot of the name, or the free one where it belongs.
    template <class Self>
    static auto& place_in(Self& self, Bytes name, std::uint64_t hash) {
        const std::size_t mask = self.slots_.size() - 1;
        std::size_t at = hash & mask;
        for (; self.slots_[at].entry != 0; at = (at + 1) & mask) {
            if (self.slots_[at].hash != hash) continue;
            const Entry& entry = self.entries_[self.slots_[at].entry - 1];
            if (std::ranges::equal(Bytes(self.names_).subspan(entry.name, entry.size), name)) break;
        }
        return self.slots_[at];
    }
    Slot& place_of(Bytes name, std::uint64_t hash) { return place_in(*this, name, hash); }
    const Slot& place_of(Bytes name, std::uint64_t hash) const { return place_in(*this, name, hash); }

    void grow() {
        const auto old = std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(8, 2 * slots_.size())));
        const std::size_t mask = slots_.size() - 1;
        for (const Slot& slot : old) {
            if (slot.entry == 0) continue;
            std::size_t at = slot.hash & mask;
            while (slots_[at].entry != 0) at = (at + 1) & mask;
            slots_[at] = slot;
        }
    }

    std::vector<Slot> slots_;  // a power of two, at most half full
    std::vector<Entry> entries_;
    std::vector<std::byte> names_;  // lower-cased
    std::size_t most_labels_ = 0;
};

}  // namespace sallyport::dns
