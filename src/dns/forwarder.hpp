// Passes questions on to upstreams, on one data loop: the cache, the questions under way, whom to ask and whom next.
//
// A question is passed on as it was asked but for its ID and its OPT, which belong to one hop alone (RFC 6891 section
// 6.2.3). One that is under way already is joined. An upstream that is silent is not waited for: after a little more
// than it usually takes the next one is asked as well, and whichever answers first answers.
#pragma once

#include "dns/cache.hpp"
#include "dns/decide.hpp"
#include "dns/exchange.hpp"
#include "dns/numbers.hpp"
#include "dns/upstream.hpp"
#include "io/scope.hpp"
#include "io/udp.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::dns {

class Forwarder {
public:
    static constexpr std::chrono::milliseconds whole_patience{4500};  // clients give up at 5 s
    static constexpr std::chrono::milliseconds stale_after{1800};     // RFC 8767 section 5
    static constexpr std::size_t most_under_way = 4096;               // questions
    static constexpr std::size_t most_waiting = 16'384;               // clients

    /// @param batch_ends  called when several answers may have been given: they can be sent in one go
    Forwarder(io::Loop& loop, std::function<void()> batch_ends);
    ~Forwarder();

    /// From now on upstreams are these. What is cached stays while they are the same, and what may be kept.
    void adopt(const Zones& zones, std::shared_ptr<const io::TlsClient> tls);

    /// Is there an answer right now? Writes it, or nothing: then ask(). One that is soon to expire is fetched anew.
    Bytes answer_now(const Query& query, const NameKey& key, const Decision& decision, MutableBytes room);

    /// Passes the question on. `who` is told in any case, perhaps before this returns.
    void ask(const Query& query, const NameKey& key, const Decision& decision, std::unique_ptr<Waiting> who);

    /// Sends what ask() has put up for sending.
    void flush();

    /// Ends everything that is under way, with SERVFAIL, and waits for it. Nothing may be asked afterwards.
    io::Task<void> close();

    const ForwarderNumbers<telemetry::Counter>& numbers() const { return numbers_; }
    /// From any thread.
    ForwarderFacts facts() const;
    std::size_t cached() const { return cache_.size(); }
    template <class F>
    void for_each_upstream(F&& f) {
        for (auto& [name, upstream] : upstreams_) f(*upstream);
    }

private:
    Exchange* find_under_way(const CacheKey& key);
    Exchange& begin(const Query& query, const CacheKey& key, const Decision& decision, bool shared);
    void refresh(const Query& query, const CacheKey& key, const Decision& decision);
    io::Task<void> drive(Exchange& exchange);
    static Duration patience_with(const Exchange& exchange, Upstream& upstream);
    Upstream* choose(const Exchange& exchange);
    void send(Exchange& exchange, Upstream& upstream, bool by_stream);
    void answered(Try& one, Bytes message);
    void failed(Try& one, Lost why);
    void deliver(Exchange& exchange, Bytes message);
    void tell(Exchange& exchange, const Reply& reply);
    bool give_stale(Exchange& exchange);
    void give_up(Exchange& exchange);
    void end(Exchange& exchange);
    void count(Event event) { numbers_.of(event).add(1); }
    void keep(Exchange& exchange, Bytes message, const Examined& examined);
    void look_after(Upstream& upstream);
    io::Task<void> probe(Upstream& upstream);

    io::Loop& loop_;
    io::Scope scope_;
    std::function<void()> batch_ends_;
    UpstreamHooks hooks_;
    Randoms randoms_;
    io::DatagramBatch batch_;
    Cache cache_;
    ForwarderNumbers<telemetry::Counter> numbers_;
    std::atomic<std::uint64_t> cached_{0};  // as cache_ says
    // Of the table, and of who in it is wanted: changed on this thread, read by others.
    mutable std::mutex upstreams_change_;
    std::unordered_map<std::string, std::unique_ptr<Upstream>> upstreams_;  // by DnsUpstream::to_string
    UpstreamsHandle groups_;
    std::vector<std::string> rebind_allow_;  // as the answers were judged that are cached
    io::List<Exchange> under_way_;
    std::unordered_multimap<std::uint64_t, Exchange*> by_hash_;  // those that may be joined
    std::size_t count_ = 0;
    std::size_t waiting_ = 0;
    std::vector<Upstream*> looked_after_;  // failing ones that are being probed
    bool closing_ = false;
};

}  // namespace sallyport::dns
