// Answers of upstreams, kept as the octets that they came as: a hit is a copy with the ID, the question's case and the
// TTLs put in. Bounded by a count of answers; the one that was used longest ago makes room. Knows no clock.
#pragma once

#include "base/time.hpp"
#include "dns/examine.hpp"
#include "wire/dns/answer.hpp"
#include "wire/dns/name.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sallyport::dns {

/// What two questions must have in common to have one answer.
struct CacheKey {
    Bytes question;          // name, type and class; compared without regard to case
    std::uint64_t hash = 0;  // of the name
    std::uint16_t group = 0;  // of upstreams: views have answers of their own
    std::uint8_t kind = 0;   // the question's flags that an answer depends on
};

/// The flags of a question that its answer depends on: RD, AD, CD, whether there is an OPT and its DO.
std::uint8_t kind_of(const Query& query);

class Cache {
public:
    static constexpr std::size_t largest = 8192;  // octets of an answer that is kept
    static constexpr std::uint32_t stale_ttl = 30;  // seconds, of what is served past its time (RFC 8767 section 4)

    /// @param capacity  answers, each some 300 octets and its own; 0: nothing is kept
    /// @param stale_for  how long past its time an answer may still be served
    Cache(std::size_t capacity, Duration stale_for);

    enum class Age : std::uint8_t {
        none,   // there is nothing
        fresh,
        ripe,   // fresh, and soon no more: asked for often enough that it should be fetched again now
        stale,  // past its time
    };
    struct Found {
        Age age = Age::none;
        std::uint32_t entry = 0;  // for write(); valid until the next store()
    };
    Found find(const CacheKey& key, SteadyTime now);

    /// Writes the answer as one to `asked`, cut to nothing with TC where it doesn't fit.
    Bytes write(const Found& found, MutableBytes room, const Asked& asked, SteadyTime now) const;

    /// Keeps an answer for its lifetime. One that is there is replaced; a failure replaces none that can still be
    /// served stale (RFC 8767 section 5).
    void store(const CacheKey& key, Bytes message, const Examined& examined, SteadyTime now);

    std::size_t size() const { return used_; }
    void clear();
    void resize(std::size_t capacity, Duration stale_for);

private:
    static constexpr std::uint32_t none = 0xFFFFFFFF;
    struct Entry {
        std::unique_ptr<std::byte[]> octets;  // the message without OPT, then the places of its TTLs
        std::uint64_t hash = 0;
        SteadyTime stored, expires;
        std::uint32_t chain = none;           // the next in its bucket
        std::uint32_t newer = none, older = none;
        std::uint16_t size = 0;               // of the message
        std::uint16_t question = 0;           // of the question
        std::uint16_t ttls = 0;
        std::uint16_t group = 0;
        std::uint16_t hits = 0;
        std::uint8_t kind = 0;
        bool failure = false;

        Bytes message() const { return {octets.get(), size}; }
    };

    std::uint32_t look_up(const CacheKey& key) const;
    std::uint32_t& bucket_of(std::uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }
    std::uint32_t take_place();
    void unchain(std::uint32_t index);
    void unlink(std::uint32_t index);
    void link_newest(std::uint32_t index);

    std::size_t capacity_ = 0;
    Duration stale_for_{};
    std::vector<Entry> entries_;
    std::vector<std::uint32_t> buckets_;
    std::uint32_t newest_ = none, oldest_ = none;
    std::size_t used_ = 0;
};

}  // namespace sallyport::dns
