// For tests of this room: a connection that is routed, whose four ends are at hand, and the watch that looks at it.
#pragma once

#include "gate/testing.hpp"
#include "gate/tunnel.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::gate::testing {

/// What a test is about is made by whoever derives from it.
template <class W>
struct RoutedConnection {
    TestGate at;
    Session session{at.gate, at.listener, *SocketAddress::parse("192.0.2.7:4000")};
    io::testing::StreamPair client{*at.loop, session.cancellation};
    io::testing::StreamPair target{*at.loop, session.cancellation};
    Tunnel tunnel;
    std::unique_ptr<W> watch;

    RoutedConnection(config::Protocol protocol, std::string service, bool leg_tls)
        : tunnel{.target = {.stream = std::move(target.near),
                            .lease = *Lease::take(std::make_shared<TargetState>(), nullptr, 0),
                            .text = "10.0.0.1:4711",
                            .server_name = {},
                            .tls = leg_tls},
                 .protocol = protocol,
                 .service = std::move(service),
                 .looked_for = {},
                 .method = {},
                 .url = {},
                 .since = {},
                 .began = {},
                 .relayed = {}} {
        session.protocol = protocol;
    }

    bool from_client(std::string_view bytes) {
        return watch->from_client(as_bytes(bytes), client.near, tunnel.target.stream);
    }
    bool from_target(std::string_view bytes) {
        return watch->from_target(as_bytes(bytes), client.near, tunnel.target.stream);
    }
    std::string at_target() { return read(target.far); }
    std::string at_client() { return read(client.far); }
    std::uint64_t refused(telemetry::Reason reason) const {
        return at.ended(protocol_of(tunnel.protocol), telemetry::Verdict::refused, reason);
    }

private:
    static std::string read(io::Stream& from) {
        std::vector<std::byte> room(std::size_t{256} * 1024);
        const io::Got got = from.read(room);
        return got.io == io::Io::ok ? std::string(as_text(Bytes(room).first(got.bytes))) : std::string();
    }
};

}  // namespace sallyport::gate::testing
