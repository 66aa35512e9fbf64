// One question that is under way to upstreams, and everyone who waits for its answer.
#pragma once

#include "dns/cache.hpp"
#include "dns/upstream.hpp"
#include "io/event.hpp"
#include "io/list.hpp"
#include "telemetry/reason.hpp"
#include "wire/dns/answer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace sallyport::dns {

/// What came of a question, to be written as an answer to each who asked it.
class Reply {
public:
    using Reason = telemetry::Reason;

    /// @param message  without OPT; empty: SERVFAIL
    /// @param options  of its OPT, to be passed on
    Reply(Bytes message, Bytes options, ExtendedError why, Reason reason)
        : message_(message), options_(options), why_(why), reason_(reason) {}
    Reply(const Cache& cache, Cache::Found found, SteadyTime now)
        : cache_(&cache), found_(found), now_(now), reason_(Reason::dns_stale) {}

    /// How it is told of; not ok: what came of the question is not an upstream's fresh answer.
    Reason reason() const { return reason_; }
    Bytes write(MutableBytes room, const Asked& asked) const;

private:
    Bytes message_, options_;
    ExtendedError why_ = ExtendedError::none;
    const Cache* cache_ = nullptr;
    Cache::Found found_;
    SteadyTime now_;
    Reason reason_;
};

/// Somebody who waits for an answer. Told once, and then gone.
class Waiting {
public:
    virtual ~Waiting() = default;
    virtual void answered(const Reply& reply) = 0;
};

struct Exchange : io::ListNode {
    static constexpr std::size_t most_tries = 6;

    explicit Exchange(io::Loop& loop) : news(loop) {}
    ~Exchange();

    Bytes question() const { return Bytes(query).subspan(header_size, question_size); }
    CacheKey key() const { return {question(), hash, group, kind}; }

    std::vector<std::byte> query;  // as it is sent, but for the ID
    std::size_t question_size = 0;
    std::uint64_t hash = 0;
    std::uint16_t group = 0;
    std::uint8_t kind = 0;
    bool shared = false;  // it may be answered by the cache, and others may join it
    bool private_allowed = false;
    UpstreamsHandle upstreams;
    Upstream* only = nullptr;  // a probe of this one
    std::vector<std::unique_ptr<Waiting>> waiting;  // in the order in which they came
    std::optional<SteadyTime> stale_at;  // when those who wait get what is past its time

    std::array<Try, most_tries> tries;
    std::size_t tried = 0;
    std::vector<std::byte> rejection;  // an answer that another upstream may better, without OPT
    io::Event news;       // a try has come to something
    bool done = false;    // answered: nobody waits any more
    bool truncated = false;  // the last answer was cut: ask the same one by TCP
};

}  // namespace sallyport::dns
