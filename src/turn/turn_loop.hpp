// TURN on one data loop: the server with its sockets, its clock and its log.
//
// The kernel deals clients out to the loops by their address and port (SO_REUSEPORT), and a client stays on its loop:
// its allocation, its relay and all its packets live there.
#pragma once

#include "base/result.hpp"
#include "guard/lookout.hpp"
#include "io/dtls.hpp"
#include "io/loop.hpp"
#include "io/relay.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "io/stream.hpp"
#include "io/tls.hpp"
#include "io/udp.hpp"
#include "io/udp_burst.hpp"
#include "io/worker.hpp"
#include "listeners/client_counts.hpp"
#include "listeners/loop_listeners.hpp"
#include "telemetry/counters.hpp"
#include "telemetry/logger.hpp"
#include "turn/outlet.hpp"
#include "turn/server.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace sallyport::turn {

/// A UDP socket that clients come to.
struct UdpDoor {
    std::uint64_t id = 0;  // unique while the program runs
    std::string address;   // as in the configuration: how records name it
    SocketAddress own;
    bool relays = false;  // false: it answers STUN alone
    bool dtls = false;    // clients speak DTLS, and nothing else
};

/// Belongs to the thread of its loop.
class TurnLoop final : public Outlet {
public:
    /// All of them outlive it.
    TurnLoop(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, guard::Lookout& guard,
             Shared& shared, SettingsHandle settings);

    void adopt(SettingsHandle settings) { server_.adopt(std::move(settings)); }
    void add(UdpDoor door, io::Fd socket);
    /// The same socket, from now on with another purpose.
    void retag(const UdpDoor& door);
    /// Its allocations go on until their end; the socket with them.
    void remove(std::uint64_t id);

    /// For TLS connections from now on; null: there is no certificate.
    void adopt(std::shared_ptr<const io::TlsServer> tls) { tls_ = std::move(tls); }
    /// For DTLS clients from now on; null: nobody is served so.
    void adopt(std::shared_ptr<io::DtlsServer> dtls) { dtls_ = std::move(dtls); }
    /// Connections count among those of these clients. It outlives the loop. @param capacity  of all loops together
    void count_clients(listeners::ClientCounts& clients, std::size_t capacity) {
        clients_ = &clients;
        capacity_ = capacity;
    }
    /// Those that came by listeners of TURN, from when they were accepted. What the gate hands over, it counts.
    std::size_t connections() const { return taken_; }
    /// Serves one connection to its end, with TLS where its listener says so.
    void take(listeners::ListenerHandle listener, io::Accepted accepted);

    /// A client that another room has admitted, behind its handshake where there was one.
    struct Guest {
        io::Stream& stream;
        io::Cancellation& cancellation;  // that the stream goes by: requested when TURN ends
        SocketAddress client;
        listeners::ListenerHandle listener;
    };
    /// Serves it to the end of its connection.
    io::Task<void> serve(Guest guest);

    /// Nothing new; waits until all allocations have ended, ends those that are left at the deadline, and closes.
    io::Task<void> finish(io::Deadline patience);
    /// Makes a finish() that is under way end everything now.
    void hurry() { hurried_ = true; }

    Server& server() { return server_; }
    const Server& server() const { return server_; }
    Instant now() const { return {loop_.now(), loop_.wall()}; }

    // Outlet
    std::expected<int, int> open_relay(const SocketAddress& own) override;
    bool start_relay(RelayId id, int socket) override;
    void close_relay(int socket) override;
    std::expected<int, int> open_tcp_relay(const SocketAddress& own) override;
    bool start_tcp_relay(RelayId id, int socket) override;
    void connect(const PeerConnectionHandle& connection, RelayId id, const SocketAddress& own,
                 const SocketAddress& peer) override;
    void carry(const Link& link, const PeerConnectionHandle& connection, int socket) override;
    bool look_up(const HeldBinding& held) override;
    std::uint32_t number_at(const SocketAddress& own) override;
    void to_client(const Link& link, const Packet& packet) override;
    void to_peer(int socket, const SocketAddress& peer, Bytes data, bool dont_fragment) override;
    void began() override;
    void passed(std::size_t in, std::size_t out) override;
    bool is_own(const IpAddress& address) override;
    bool is_banned(const IpAddress& client) override;
    void tell(const Story& story) override;
    void suspect(const Link& link) override;

private:
    struct Open {
        UdpDoor door;
        io::UdpSocket socket;
        std::uint32_t number;  // Link::number
        bool is_wildcard;  // it has many addresses: answers name theirs
        bool removed = false;  // and open only as long as an allocation came by it
    };

    /// A client that came by TCP or TLS. What it is sent is gathered and leaves when a batch is through.
    struct StreamClient {
        io::Stream& stream;
        io::Cancellation& cancellation;
        Link link;
        listeners::ListenerHandle listener;
        std::vector<std::byte> gathered = {};
        std::vector<std::byte> rest = {};  // of what it sent: the beginning of a frame
        PeerConnectionHandle carried = {};  // whose bytes are all that this connection is for from now on
        io::Fd peer = {};  // of that
    };

    /// A client that came by DTLS and has shown that it is where it says.
    struct DtlsClient {
        std::unique_ptr<io::DtlsSession> session;
        listeners::ClientPlace place;
        SteadyTime since;
        SteadyTime heard;
    };

    // turn_tcp.cpp
    io::Task<void> serve_tcp_relay(RelayId id, int number, io::Acceptor acceptor);
    io::Task<void> connect_to(PeerConnectionHandle connection, RelayId id, SocketAddress own, SocketAddress peer);
    io::Task<void> carry_to_peer(StreamClient& client);
    io::Task<bool> pass_rest(StreamClient& client, io::Stream& peer, io::RelayWatch& watch, io::RelayPace& pace);

    // turn_dtls.cpp
    void take_dtls(Open& open, const io::Datagram& datagram);
    void begin_dtls(Open& open, const Link& link, Bytes hello);
    void end_dtls(const Link& link);
    void to_dtls(const Link& link, const Packet& packet);
    void look_after_dtls();
    io::DtlsSession::Send sender(Open& open, const Link& link);

    // turn_admission.cpp
    struct Refusal {
        telemetry::Reason reason;
        std::string detail;
    };
    io::Task<listeners::ClientPlace> admit(io::Stream& stream, SocketAddress& client, const std::string& listener);
    io::Task<std::optional<Refusal>> learn_client(io::Stream& stream, SocketAddress& client);
    void refuse(const SocketAddress& client, const std::string& listener, const Refusal& refusal);

    // turn_streams.cpp
    io::Task<void> serve_stream(listeners::ListenerHandle listener, io::Accepted accepted);
    io::Task<bool> shake_hands(io::Stream& stream, const SocketAddress& client, const std::string& listener);
    io::Task<void> read_frames(StreamClient& client);
    bool take_frames(StreamClient& client, Bytes bytes);
    bool may_send(const StreamClient& client, std::size_t frame);
    void to_stream(const Link& link, const Packet& packet);
    void send_gathered();

    io::Task<void> ask_kernel(HeldBinding held);
    io::Task<void> serve(std::shared_ptr<Open> open);
    io::Task<void> serve_relay(RelayId id, io::UdpSocket socket);
    void begin_keeping_time();
    io::Task<void> keep_time();
    void close_removed();
    Open* find(std::uint64_t id);

    io::Loop& loop_;
    telemetry::Reporter& reporter_;
    telemetry::LoopCounters& counters_;
    guard::Lookout& guard_;
    Server server_;
    io::UdpBurst burst_;  // sent when a batch is through, as what streams are sent
    io::DatagramBatch batch_{io::DatagramBatch::largest_room};  // of whichever socket is being read
    std::map<std::uint32_t, std::shared_ptr<Open>> doors_;  // by Open::number
    std::uint32_t last_number_ = 0;
    std::map<std::uint32_t, StreamClient*> streams_;  // by Link::number
    std::vector<StreamClient*> gathering_;  // those of them with something gathered
    std::shared_ptr<const io::TlsServer> tls_;
    std::shared_ptr<io::DtlsServer> dtls_;
    listeners::ClientCounts dtls_places_;
    std::unordered_map<Link, DtlsClient, LinkHash> dtls_clients_;
    std::vector<std::byte> record_;  // of a DTLS client, in the making
    std::map<int, io::Acceptor*> acceptors_;  // of relays over TCP, by descriptor
    std::vector<io::UdpSocket*> relays_;  // by descriptor; null where it is no started relay
    std::vector<IpAddress> own_;  // of this machine, as of the last look
    SteadyTime own_until_{};  // then it is time for another
    std::optional<io::Worker> kernel_asker_;  // from when it is first needed
    std::size_t asked_ = 0;  // of the kernel, and not answered yet
    listeners::ClientCounts* clients_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t taken_ = 0;  // connections, by listeners of TURN
    bool keeps_time_ = false;
    bool hurried_ = false;
    io::Scope scope_;
};

}  // namespace sallyport::turn
