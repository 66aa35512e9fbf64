// One name server as one data loop sees it: how it does, the UDP ports that it is asked from, a stream to it.
//
// Who forges answers must hit the port and the ID (RFC 5452): questions leave from sockets with random ports, one of
// them chosen for each batch; each knows its peer, so that the kernel drops what comes from elsewhere and no ICMP tells
// others which ports there are. A port is given up after so many questions, or forgeries. The case of each letter of a
// question is thrown by coin, and must come back as it went.
#pragma once

#include "config/dns.hpp"
#include "dns/health.hpp"
#include "dns/numbers.hpp"
#include "io/scope.hpp"
#include "io/tls.hpp"
#include "io/udp.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace sallyport::dns {

struct Exchange;
class Upstream;

/// One sending of a question, findable by the ID under which it went.
struct Try {
    Exchange* exchange = nullptr;
    Upstream* upstream = nullptr;
    class Tries* in = nullptr;  // null: nothing is awaited
    Try* next = nullptr;
    SteadyTime sent{};
    std::uint16_t id = 0;
    bool by_stream = false;
};

/// The tries of one socket, by ID.
class Tries {
public:
    ~Tries() { forget_all(); }
    /// An ID that is free here: `random`, or one behind it.
    void add(Try& one, std::uint16_t random);
    Try* find(std::uint16_t id) const;
    void remove(Try& one);
    bool empty() const { return count_ == 0; }
    template <class F>
    void for_each(F&& f) {
        for (Try* first : buckets_) {
            for (Try* at = first; at != nullptr;) {
                Try* following = at->next;  // f may remove it
                f(*at);
                at = following;
            }
        }
    }

private:
    void forget_all();

    std::array<Try*, 64> buckets_{};
    std::size_t count_ = 0;
};

/// Random numbers for ports and IDs, fetched from the system in large pieces.
class Randoms {
public:
    std::uint32_t next();
    std::uint32_t below(std::uint32_t bound) { return bound < 2 ? 0 : next() % bound; }

private:
    std::array<std::uint32_t, 256> numbers_;
    std::size_t left_ = 0;
};

/// Why a try came to nothing.
enum class Lost : std::uint8_t {
    unreachable,
    forged,  // somebody guesses at answers: to be asked again by stream
    ended,  // the stream was ended by a server that does answer, as it may at any time (RFC 7766 section 6.2.4)
};

/// What an upstream tells its forwarder.
struct UpstreamHooks {
    /// An answer that came to a try: header, ID and question fit.
    std::function<void(Try&, Bytes message)> answered;
    std::function<void(Try&, Lost)> failed;
    /// All that came at once has been handed over.
    std::function<void()> batch_ends;
};

class Upstream {
public:
    static constexpr std::size_t most_ports = 32;
    static constexpr std::uint32_t questions_a_port = 8192;
    static constexpr std::uint32_t forgeries_a_port = 32;
    static constexpr std::chrono::seconds stream_idle{10}, connect_within{3};

    Upstream(io::Scope& scope, config::DnsUpstream server, Randoms& randoms, io::DatagramBatch& batch,
             const UpstreamHooks& hooks);
    ~Upstream();
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;

    const config::DnsUpstream& server() const { return server_; }
    const Health& health() const { return health_; }
    /// Does the configuration name it at present? Set by its forwarder.
    bool wanted = true;
    /// It did not answer in time, or can't be reached.
    void missed();
    /// A failing one is being probed.
    void trying() { health_.trying(scope_.loop().now()); }
    /// When it was last asked because all others fail too.
    SteadyTime last_resort() const { return last_resort_; }
    void note_last_resort(SteadyTime now) { last_resort_ = now; }
    /// From any thread.
    UpstreamFacts facts() const;
    /// For streams to it; null: none can be verified, and DNS over TLS fails.
    void set_tls(std::shared_ptr<const io::TlsClient> tls) { tls_ = std::move(tls); }

    /// Sends the question of this try; by UDP it leaves with flush(). @param query  lives until then
    void send(Try& one, std::vector<std::byte>& query);
    void send_by_stream(Try& one, std::vector<std::byte>& query);
    void flush();

    /// Gives all ports and the stream up; who waits on them is told.
    void close();

private:
    struct Port;
    struct Link;

    Port* port();
    Port* open_port();
    void answered_in(Duration took);
    bool repeats(Bytes question, const Try& one);
    void fail_all(Tries& tries, Lost why);
    void received(Port& port, Bytes message);
    io::Task<void> read(Port& port);
    io::Task<void> run(Link& link);
    io::Task<bool> connect(Link& link);
    bool take_messages(Link& link, Bytes bytes);
    void end(Link& link);

    io::Scope& scope_;
    config::DnsUpstream server_;
    Randoms& randoms_;
    io::DatagramBatch& batch_;
    const UpstreamHooks& hooks_;
    std::shared_ptr<const io::TlsClient> tls_;
    Health health_;
    SteadyTime last_resort_{};
    bool keeps_case_ = false;  // it has repeated a question with its capitals
    UpstreamNumbers<telemetry::Counter> numbers_;
    std::atomic<bool> failing_{false};  // as health_ says
    std::atomic<Duration> round_trip_{};
    std::vector<std::unique_ptr<Port>> ports_;
    Port* sending_ = nullptr;  // the port that this batch leaves from
    std::unique_ptr<Link> link_;
};

/// The upstreams of each group. Exchanges hold on to those that they began with.
using Upstreams = std::vector<std::vector<Upstream*>>;
using UpstreamsHandle = std::shared_ptr<const Upstreams>;

}  // namespace sallyport::dns
