// The name server on one data loop: questions by UDP and TCP, answered at once where that can be, and passed on where
// it must be.
#pragma once

#include "dns/claim.hpp"
#include "dns/forwarder.hpp"
#include "dns/rate_limit.hpp"
#include "dns/replies.hpp"
#include "dns/zones.hpp"
#include "guard/lookout.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/tls.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::dns {

/// Zones with what one loop needs beside them: OpenSSL contexts are never shared between loops.
struct LoopZones {
    std::shared_ptr<const Zones> zones;
    std::shared_ptr<const io::TlsClient> upstream_tls;  // null: no upstream is asked by TLS
};

/// What came of a question that was passed on: an answer, or the reason why there is none.
struct LookedUp {
    telemetry::Reason reason = telemetry::Reason::dns_no_answer;
    std::vector<std::byte> answer = {};
};

/// What all loops' servers have in common.
struct ServerOptions {
    std::uint64_t seed = 0;  // of the zones
    std::size_t tcp_capacity = 512;  // connections at a time on this loop
};

/// Belongs to the thread of its loop.
class Server {
public:
    static constexpr std::chrono::seconds tcp_idle{10};    // RFC 7766 section 6.2.3
    static constexpr std::chrono::seconds tcp_stalled{5};  // a client that does not take its answers
    static constexpr std::size_t questions_a_connection = 128;  // under way at a time; more are read later
    static constexpr std::uint32_t refusals_a_second = 10;      // to one network of strangers
    static constexpr std::size_t most_settling = 4096;  // questions that wait for a claimant

    Server(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, guard::Lookout& guard,
           const ServerOptions& options);
    ~Server();

    /// From now on decisions are made by these.
    void adopt(LoopZones zones);
    /// Names that another room answers; null: none. It outlives the server.
    void set_claims(Claims* claims) { claims_ = claims; }

    /// Serves questions that come to this UDP socket.
    /// @param id  by which it can be removed
    void add_udp(std::uint64_t id, std::string address, io::Fd fd);
    void remove_udp(std::uint64_t id);
    /// Serves one TCP connection.
    void take(const std::string& listener, io::Accepted accepted);

    /// Asks upstreams, or the cache, as this client's question would. Nothing comes of a name that is not passed on.
    /// @param told  once, perhaps before this returns
    void look_up(const Name& name, std::uint16_t type, const IpAddress& client, std::function<void(LookedUp)> told);

    /// Ends everything, and waits for it. What is under way is answered with SERVFAIL.
    io::Task<void> finish();

    const Forwarder& forwarder() const { return forwarder_; }

private:
    struct Udp;
    struct Tcp;
    struct ClientWaiting;
    struct AdminWaiting;
    struct UdpWaiting;
    struct TcpWaiting;
    using TcpHandle = std::shared_ptr<Tcp>;

    /// Whom an answer goes to, and how it is told of.
    struct Origin {
        SocketAddress client;
        std::string_view listener;
        bool tcp = false;
        std::size_t size = 0;  // octets of the question
    };
    /// What is known of a question once it is decided, for its record.
    struct Outcome {
        telemetry::Reason reason = telemetry::Reason::ok;
        std::string_view view, target;
    };

    // By either transport.
    template <class MakeWaiting>
    Bytes respond(Received received, const Query& query, const Origin& origin, MutableBytes room,
                  MakeWaiting&& make_waiting);
    template <class MakeWaiting>
    Bytes decide_and_answer(const Query& query, const Origin& origin, MutableBytes room, MakeWaiting&& make_waiting);
    io::Task<void> settle(std::unique_ptr<Waiting> who, Name name, std::uint16_t type, IpAddress client);
    void tell(const Origin& origin, const Asked& asked, const Outcome& outcome, std::size_t answered, Duration took);
    void flush_replies();

    io::Task<void> serve_udp(std::shared_ptr<Udp> udp);
    void fetch_names(std::span<const io::Datagram> datagrams) const;
    void answer_datagram(const std::shared_ptr<Udp>& udp, const io::Datagram& datagram);
    bool within_limit(const SocketAddress& client, Bytes& answer);

    bool has_tcp_room(const IpAddress& client) const;
    io::Task<void> serve_tcp(TcpHandle tcp);
    bool take_questions(const TcpHandle& tcp);
    void put_answer(const TcpHandle& tcp, Bytes answer);
    void flush_tcp(const TcpHandle& tcp);
    io::Task<void> drain_tcp(TcpHandle tcp);

    io::Loop& loop_;
    telemetry::Reporter& reporter_;
    telemetry::LoopCounters& counters_;
    guard::Lookout& guard_;
    const ServerOptions options_;
    io::DatagramBatch batch_;
    std::unique_ptr<std::array<std::byte, max_message>> tcp_room_;
    LoopZones zones_;
    Claims* claims_ = nullptr;
    RateLimit limit_;
    std::map<std::uint64_t, std::shared_ptr<Udp>> udps_;
    std::unordered_map<IpAddress, std::size_t> tcp_clients_;  // connections
    std::size_t tcp_count_ = 0;
    std::size_t settling_ = 0;
    std::vector<TcpHandle> dirty_;  // have answers to be written
    bool finishing_ = false;
    io::Scope scope_;
    Forwarder forwarder_;
};

}  // namespace sallyport::dns
