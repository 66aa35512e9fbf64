// For tests of the checks: targets that are watched on a loop of virtual time.
#pragma once

#include "gate/targets/health.hpp"
#include "gate/testing.hpp"

#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::gate::testing {

using Seconds = std::chrono::duration<double>;

/// A service with these targets and further keys.
inline std::string service(std::string_view targets, std::string_view rest = "",
                           std::string_view name = "a.example.com") {
    return "[[service]]\nname = \"" + std::string(name) + "\"\nprotocol = \"http\"\ntarget = [" + std::string(targets) +
           "]\nplain_port = 80\n" + std::string(rest) + "\n";
}

/// The checks on a loop of virtual time, and what they tell.
struct Ward {
    ScriptedTargets targets;
    io::testing::VirtualLoop loop{ScriptedTargets::calls()};
    StateBook book;
    std::shared_ptr<const net::NameTable> names;
    std::vector<TargetEvent> events;
    std::optional<Health> health;
    SnapshotHandle snapshot;
    SteadyTime start = loop->now();
    io::Cancellation never;

    Ward() { targets.loop = &*loop; }

    void watch(std::string_view text) {
        snapshot = snapshot_of(book, text);
        health->watch(snapshot);
    }
    TargetState& state(std::size_t target = 0) const { return *snapshot->routing->services()[0].targets[target]; }
    void fail(std::size_t target = 0) const {
        state(target).not_connected(telemetry::Reason::target_refused, loop_wall());
    }
    WallTime loop_wall() const { return const_cast<Ward&>(*this).loop->wall(); }

    auto sleep(Duration duration) { return io::Sleep(*loop, never, loop->in(duration)); }

    /// Watches the services of `text` while `script` runs, then closes.
    void run(std::string_view text, io::Task<void> script) {
        loop.run([](Ward& self, std::string_view services, io::Task<void> what) -> io::Task<void> {
            self.health.emplace(
                *self.loop,
                Health::Options{.names = [&self] { return self.names; },
                                .event = [&self](const TargetEvent& event) { self.events.push_back(event); }});
            self.watch(services);
            co_await what;
            co_await self.health->close();
            self.health.reset();
            self.snapshot.reset();
        }(*this, text, std::move(script)));
    }

    /// When targets were tried, in seconds from the start, as far as this knows: to a quarter.
    std::vector<double> tries() const {
        std::vector<double> out;
        for (const auto& one : targets.dialed) out.push_back(quarters(one.when - start));
        return out;
    }
    static double quarters(Duration duration) { return std::floor(Seconds(duration).count() * 4 + 0.01) / 4; }

    std::vector<std::string> told() const {
        std::vector<std::string> out;
        for (const TargetEvent& event : events)
            out.push_back(event.target + ' ' + std::string(name(event.condition)) +
                          (event.why == telemetry::Reason::ok ? "" : ' ' + std::string(code(event.why))));
        return out;
    }
};

inline io::Task<void> waits(Ward& ward, Duration duration) { co_await ward.sleep(duration); }

inline constexpr std::string_view one = "\"10.0.0.1\"";

/// Services of 64 targets, all checked.
inline std::string many_services(std::size_t services, std::string_view rest) {
    std::string text;
    for (std::size_t i = 0; i < services; ++i) {
        std::string targets;
        for (std::size_t j = 1; j <= 64; ++j) {
            targets += (j == 1 ? "\"10.0." : ", \"10.0.") + std::to_string(i) + '.' + std::to_string(j) + '"';
        }
        text += service(targets, rest, "s" + std::to_string(i) + ".example.com");
    }
    return text;
}

}  // namespace sallyport::gate::testing
