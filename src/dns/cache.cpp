#include "dns/cache.hpp"

#include "dns/pass_back.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

namespace sallyport::dns {

namespace {

constexpr std::uint16_t worth_fetching_again = 2;  // hits
constexpr int ripe_at = 10;                        // a tenth of its lifetime is left

std::uint32_t seconds(Duration duration) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

std::uint8_t kind_of(const Query& query) {
    const auto bit = [](bool set, int place) { return static_cast<unsigned>(set) << place; };
    return static_cast<std::uint8_t>(bit(query.header.has(flag::recursion_desired), 0) |
                                     bit(query.header.has(flag::authentic_data), 1) |
                                     bit(query.header.has(flag::checking_disabled), 2) |
                                     bit(query.edns.has_value(), 3) | bit(query.edns && query.edns->dnssec_ok, 4));
}

Cache::Cache(std::size_t capacity, Duration stale_for) { resize(capacity, stale_for); }

void Cache::resize(std::size_t capacity, Duration stale_for) {
    stale_for_ = stale_for;
    if (capacity == capacity_ && !buckets_.empty()) return;
    capacity_ = capacity;
    clear();
}

void Cache::clear() {
    entries_.clear();
    entries_.shrink_to_fit();
    buckets_.assign(std::bit_ceil(std::max<std::size_t>(capacity_, 1)), none);
    newest_ = oldest_ = none;
    used_ = 0;
}

std::uint32_t Cache::look_up(const CacheKey& key) const {
    for (std::uint32_t at = buckets_[key.hash & (buckets_.size() - 1)]; at != none; at = entries_[at].chain) {
        const Entry& entry = entries_[at];
        if (entry.hash == key.hash && entry.group == key.group && entry.kind == key.kind &&
            same_question(entry.message().subspan(header_size, entry.question), key.question))
            return at;
    }
    return none;
}

Cache::Found Cache::find(const CacheKey& key, SteadyTime now) {
    const std::uint32_t at = look_up(key);
    if (at == none) return {};
    Entry& entry = entries_[at];
    if (now >= entry.expires + (entry.failure ? Duration{} : stale_for_)) return {};
    if (newest_ != at) {
        unlink(at);
        link_newest(at);
    }
    if (entry.hits < 0xFFFF) ++entry.hits;
    if (now >= entry.expires) return {Age::stale, at};
    const bool ripe = entry.hits >= worth_fetching_again && !entry.failure &&
                      (entry.expires - now) * ripe_at < entry.expires - entry.stored;
    return {ripe ? Age::ripe : Age::fresh, at};
}

Bytes Cache::write(const Found& found, MutableBytes room, const Asked& asked, SteadyTime now) const {
    const Entry& entry = entries_[found.entry];
    const bool stale = found.age == Age::stale;
    const Bytes out =
        pass_back(entry.message(), {}, room, asked, stale ? ExtendedError::stale_answer : ExtendedError::none);
    if (out.empty() || read_header(out)->has(flag::truncated)) return out;  // it was cut
    const std::uint32_t age = seconds(now - entry.stored);
    const std::byte* place = entry.octets.get() + entry.size;
    for (std::size_t i = 0; i < entry.ttls; ++i, place += sizeof(std::uint16_t)) {
        std::uint16_t at = 0;
        std::memcpy(&at, place, sizeof at);
        const std::uint32_t ttl = *ByteReader(entry.message().subspan(at)).u32();
        ByteWriter(room.subspan(at, 4)).u32(stale ? stale_ttl : ttl - std::min(ttl, age));
    }
    return out;
}

void Cache::store(const CacheKey& key, Bytes message, const Examined& examined, SteadyTime now) {
    if (capacity_ == 0 || !examined.lifetime || examined.end > largest) return;
    const bool failure = *examined.lifetime == failure_ttl && (read_header(message)->flags & flag::rcode) == 2;
    std::uint32_t at = look_up(key);
    if (at != none && failure && !entries_[at].failure && now < entries_[at].expires + stale_for_) return;
    if (at == none) {
        at = take_place();
        entries_[at].chain = bucket_of(key.hash);
        bucket_of(key.hash) = at;
        link_newest(at);
    }
    Entry& entry = entries_[at];
    const auto ttls = examined.ttls();
    entry.octets = std::make_unique_for_overwrite<std::byte[]>(examined.end + ttls.size_bytes());
    std::memcpy(entry.octets.get(), message.data(), examined.end);
    if (!ttls.empty()) std::memcpy(entry.octets.get() + examined.end, ttls.data(), ttls.size_bytes());
    entry.size = static_cast<std::uint16_t>(examined.end);
    entry.question = static_cast<std::uint16_t>(key.question.size());
    entry.ttls = static_cast<std::uint16_t>(ttls.size());
    entry.hash = key.hash;
    entry.group = key.group;
    entry.kind = key.kind;
    entry.hits = 0;
    entry.failure = failure;
    entry.stored = now;
    entry.expires = now + std::chrono::seconds(*examined.lifetime);
    // As it is passed on later: from a cache, so with no authority, and with the OPT of each answer its own.
    MutableBytes head(entry.octets.get(), header_size);
    std::uint16_t flags = static_cast<std::uint16_t>(read_header(message)->flags & ~flag::authoritative);
    ByteWriter(head.subspan(2)).u16(flags);
    if (examined.has_opt)
        ByteWriter(head.subspan(10)).u16(static_cast<std::uint16_t>(read_header(message)->additionals - 1));
}

std::uint32_t Cache::take_place() {
    if (entries_.size() < capacity_) {
        entries_.emplace_back();
        ++used_;
        return static_cast<std::uint32_t>(entries_.size() - 1);
    }
    const std::uint32_t victim = oldest_;
    unlink(victim);
    unchain(victim);
    return victim;
}

void Cache::unchain(std::uint32_t index) {
    std::uint32_t* link = &bucket_of(entries_[index].hash);
    while (*link != index) link = &entries_[*link].chain;
    *link = entries_[index].chain;
}

void Cache::unlink(std::uint32_t index) {
    Entry& entry = entries_[index];
    (entry.newer == none ? newest_ : entries_[entry.newer].older) = entry.older;
    (entry.older == none ? oldest_ : entries_[entry.older].newer) = entry.newer;
}

void Cache::link_newest(std::uint32_t index) {
    Entry& entry = entries_[index];
    entry.newer = none;
    entry.older = newest_;
    (newest_ == none ? oldest_ : entries_[newest_].newer) = index;
    newest_ = index;
}

}  // namespace sallyport::dns
