// The TURN server of one loop (RFC 8656, and STUN's Binding of RFC 8489): datagrams and times in, calls of the outlet
// out. It knows no socket and no clock, so that an hour of allocations passes in a microsecond of a test.
//
// A client's packet for a relay of this same loop is handed over at once, without a way through the kernel: two phones
// behind one server are its most usual guests.
#pragma once

#include "telemetry/counters.hpp"
#include "turn/allocation_table.hpp"
#include "turn/bit_limits.hpp"
#include "turn/outlet.hpp"
#include "turn/settings.hpp"
#include "turn/shared.hpp"
#include "turn/source_rates.hpp"
#include "wire/stun/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::turn {

struct Instant {
    SteadyTime steady;
    WallTime wall;
};

/// What of the server's work was not worth a record. Any thread may read it.
struct Tally {
    telemetry::Counter bindings;
    telemetry::Counter challenges;
    telemetry::Counter malformed;  // neither STUN nor channel data
    telemetry::Counter muted;      // not answered: its source asked too often, or is banned
    telemetry::Counter relayed;    // data that was passed on, from clients and to them
    telemetry::Counter dropped;    // data without allocation, channel or permission, or past a limit
};

class Server {
public:
    /// All three outlive the server. @param start  no later time is before it
    Server(Outlet& outlet, Shared& shared, SettingsHandle settings, SteadyTime start);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// From now on; allocations stay as they are.
    void adopt(SettingsHandle settings) { settings_ = std::move(settings); }
    /// No more new allocations; those that live may be refreshed.
    void drain() { draining_ = true; }

    /// @param relays  false: this socket answers Binding alone
    /// @param bytes   one datagram, or one frame of a stream; the outlet's calls show parts of it
    void from_client(const Link& link, bool relays, Bytes bytes, Instant now);
    /// What the socket of a relay received.
    void from_peer(RelayId id, const SocketAddress& peer, Bytes data, Instant now);
    /// What the kernel makes of the client's address; nothing: it has no mapping for it.
    void answer_held(const HeldBinding& held, const std::optional<SocketAddress>& mapped);
    /// What the network answered to data that the relay had sent.
    void icmp_from(RelayId id, const SocketAddress& peer, const Icmp& icmp, Instant now);
    /// What became of Outlet::connect(). @param socket  the server's from now on; negative: it failed
    void connected(const PeerConnectionHandle& connection, RelayId id, int socket, Instant now);
    /// A peer has connected to a relay over TCP. @param socket  the server's from now on
    void accepted(RelayId id, const SocketAddress& from, int socket, Instant now);
    /// What a connection of a relay over TCP may carry: its allocation, its user, this node.
    std::array<BitLimit, 3> bit_limits(const PeerConnection& connection) const;
    /// The client's connection is gone, and its allocation with it.
    void link_ended(const Link& link, Instant now);
    /// Ends what is over. Once a second.
    void sweep(Instant now);
    /// Ends all, for this reason.
    void end_all(telemetry::Reason reason, Instant now);

    std::size_t allocations() const { return table_.size(); }
    AllocationTable& table() { return table_; }
    const Tally& tally() const { return tally_; }
    const Settings& settings() const { return *settings_; }
    Seconds seconds(SteadyTime at) const;

private:
    struct Call {
        const Link& link;
        const stun::Message& message;
        Instant now;
    };
    /// Who made a request, as far as it is proven; how its answer is signed.
    struct Identity {
        std::string user;
        std::string quota_of;
        Key key;
        stun::Attribute kind;
    };
    /// The status of an error response.
    using Refused = std::unexpected<std::uint16_t>;
    /// Why a request proves no user: the status, and what an administrator should know; empty: nothing.
    struct Unproven {
        std::uint16_t code;
        std::string_view detail = {};
    };
    class Answer;

    // server.cpp: the beginning of every request
    void take_message(const Link& link, bool relays, Bytes bytes, Instant now);
    void answer_request(const Call& call);
    std::expected<Identity, Unproven> authenticate(const Call& call);
    std::expected<Identity, Unproven> verify_credentials(const Call& call, PasswordAlgorithm algorithm);
    std::optional<Candidates> candidates(const Call& call, PasswordAlgorithm algorithm);
    void challenge(const Call& call, const Unproven& why);
    void send(const Call& call, Answer& answer, const Identity* signer);
    void refuse(const Call& call, std::uint16_t code, const Identity* signer);

    // server_binding.cpp
    void take_binding(const Call& call);
    void answer_binding(const Call& call);
    bool hold(const Call& call);
    void discover(const Call& call, const DiscoveryPlaces& places);

    // server_allocate.cpp
    struct Wanted;
    void allocate(const Call& call, const Identity& identity);
    std::expected<Wanted, std::uint16_t> read_wanted(const Call& call) const;
    std::expected<void, std::uint16_t> make(const Call& call, const Identity& identity, const Wanted& wanted);
    std::expected<Holding*, Quotas::Refused> take_quota(const Identity& identity, const Wanted& wanted);
    std::expected<void, std::uint16_t> open_relays(const Call& call, const Wanted& wanted, std::uint32_t index);
    std::expected<void, std::uint16_t> open_and_start(const Call& call, const Wanted& wanted, RelayId id,
                                                      Seconds until);
    std::expected<Relay, std::uint16_t> open_relay(const Call& call, const Wanted& wanted, RelayId id);
    std::expected<int, int> open_socket(const SocketAddress& own, bool tcp);
    LiveRelays& live_relays(bool tcp) { return tcp ? shared_.live_tcp : shared_.live; }
    std::expected<std::uint64_t, std::uint16_t> reserve_next(const Relay& relay, std::string_view user, Instant now);
    std::optional<IpAddress> relay_address(const Link& link, bool is_v6) const;
    std::expected<void, std::uint16_t> start(RelayId id, const Relay& relay);
    void answer_allocated(const Call& call, const Identity& identity, const Allocation& allocation);
    Seconds lifetime_of(const stun::Message& message) const;
    void end(std::uint32_t index, telemetry::Reason reason, std::string_view detail, Instant now);
    void close(Relay& relay);
    void forget(Relay& relay);

    // server_requests.cpp
    void refresh(const Call& call, const Identity& identity, Allocation& allocation);
    void create_permission(const Call& call, const Identity& identity, Allocation& allocation);
    void bind_channel(const Call& call, const Identity& identity, Allocation& allocation);
    std::expected<PeerKind, std::uint16_t> judge_peer(const Call& call, const Identity& identity,
                                                      Allocation& allocation, const SocketAddress& peer);
    Refused deny(const Call& call, const Identity& identity, std::string_view detail);
    bool permit(Allocation& allocation, const IpAddress& peer, PeerKind kind, Seconds now);

    // server_tcp.cpp
    void connect(const Call& call, const Identity& identity, Allocation& allocation);
    void bind_connection(const Call& call, const Identity& identity);
    void end_peer(TcpPeer& peer);
    void sweep_peers(Allocation& allocation, Seconds now);

    // server_relaying.cpp
    void relay_indication(const Call& call);
    void relay_channel_data(const Link& link, Bytes bytes, Instant now);
    struct Outgoing {
        const SocketAddress& peer;  // as the client knows it
        PeerKind kind;
        Bytes data;
        bool dont_fragment = false;
    };
    void to_peer(Allocation& allocation, const Outgoing& outgoing, Instant now);
    bool may_pass(Allocation& allocation, std::size_t bytes, Instant now);
    void to_client(Allocation& allocation, const SocketAddress& peer, Bytes data, Seconds now);

    Outlet& outlet_;
    Shared& shared_;
    SettingsHandle settings_;
    const SteadyTime start_;
    AllocationTable table_;
    SourceRates bindings_;
    SourceRates challenges_;
    Tally tally_;
    bool draining_ = false;
};

}  // namespace sallyport::turn
