// For tests of the search for a target: a gate with one service, the targets' ends of its connections, and sessions.
#pragma once

#include "gate/targets/connect.hpp"
#include "gate/testing.hpp"
#include "gate/testing_tls.hpp"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::gate::testing {

inline std::string service(std::string_view targets, std::string_view rest = "plain_port = 80") {
    return "[[service]]\nname = [\"a.example.com\", \"b.example.com\"]\nprotocol = \"http\"\ntarget = [" +
           std::string(targets) + "]\n" + std::string(rest) + '\n';
}

constexpr std::string_view three = "\"10.0.0.1\", \"10.0.0.2\", \"10.0.0.3\"";

/// One client of a gate with one service, and the targets' ends of its connections.
struct Hall {
    TestGate at;
    std::vector<io::Fd> ends;  // of the targets, in order
    std::shared_ptr<const LoopSnapshot> snapshot;

    Hall() {
        at.targets.accepted = [this](const std::string&, io::Fd end) { ends.push_back(std::move(end)); };
    }
    void use(std::string_view text) {
        snapshot = snapshot_of(at.book, text, certificates().client);
        at.gate.adopt(snapshot);
    }
    TargetState& state(std::size_t target) const { return *snapshot->routing->services()[0].targets[target]; }
    std::uint32_t places() const { return snapshot->routing->services()[0].state->active; }
    std::uint32_t active() const {
        std::uint32_t sum = 0;
        for (const auto& target : snapshot->routing->services()[0].targets) sum += target->active();
        return sum;
    }
};

/// A session of it, with what it asks for.
struct Guest {
    Session session;
    io::testing::StreamPair pair;
    Decision decision;
    std::string name;

    explicit Guest(Hall& hall, std::string asks_for = "a.example.com", bool tls = false)
        : session(hall.at.gate, hall.at.listener, *SocketAddress::parse("192.0.2.1:4000")),
          pair(*hall.at.loop, session.cancellation),
          decision(
              decide(*hall.snapshot->routing, {.name = asks_for, .client = session.client.ip, .tls = tls, .path = {}})),
          name(std::move(asks_for)) {
        EXPECT_TRUE(decision.admitted());
    }
    TargetSearch search(Hall& hall) { return {session, pair.near, hall.snapshot, decision, name}; }
};

using Connected = std::expected<TargetConnection, ConnectFailure>;

/// "10.0.0.1:80", or "! target.refused".
inline std::string say(const Connected& connected) {
    return connected ? connected->text : "! " + std::string(code(connected.error().reason));
}

}  // namespace sallyport::gate::testing
