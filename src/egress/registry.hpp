// The one place where source addresses are given, on the control loop: the book, who is behind which address, and
// what brings word of them: leases files, RADIUS accounting, the store. Data loops ask it by a Lookup.
#pragma once

#include "base/network_map.hpp"
#include "config/config.hpp"
#include "egress/book.hpp"
#include "egress/keeper.hpp"
#include "egress/nat_map.hpp"
#include "egress/people.hpp"
#include "io/event.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "io/worker.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::egress {

struct Settings {
    Book::Policy policy{};
    std::vector<Network> clients = {};  // whose connections this is about; empty: everybody's
    std::vector<std::filesystem::path> leases = {};
    std::optional<config::ListenAddress> radius = {};
    std::string radius_secret = {};

    bool enabled() const {
        return policy.pool.size(Family::v4) + policy.pool.size(Family::v6) + policy.pins.size() > 0;
    }
};

class Registry {
public:
    struct Options {
        io::Worker* files = nullptr;  // reads leases files
        /// What lookups know of these addresses is out of date; of all where there are none.
        std::function<void(std::vector<IpAddress>)> outdated;
        /// What an admin should know.
        std::function<void(const std::string&)> trouble;
        /// Each line that others should know of.
        std::function<void(const store::EgressLine&)> tell = {};
    };

    /// @param loop  the control loop; outlives this
    Registry(io::Loop& loop, Options options) : loop_(loop), options_(std::move(options)), settings_changed_(loop) {}

    void apply(Settings settings);
    /// Takes up what stands there, and keeps it in step from now on. It outlives this.
    void remember(store::EgressLines& lines);
    bool enabled() const { return settings_.enabled() || book_.has_pins(); }

    /// What this client's connections go out from.
    Choice choose(const IpAddress& client);
    /// The same without a trace.
    Choice look(const IpAddress& client) const;
    Person behind(const IpAddress& client) const { return people_.behind(client); }
    /// Given to each whom leases and accounting name, and with the networks that are pinned.
    NatMap nat_map();

    Result<void> pin(const Pin& pin);
    /// False: no pin by hand was there.
    bool unpin(const std::string& subject, Family family);
    /// A line of another gateway, which may be broken or hostile: nothing that is not in the pool here is given to
    /// anybody for it, and nothing of a clock that is far ahead holds. What comes of it holds within a second.
    void hear(const store::EgressLine& line);
    static constexpr Duration clock_ahead = std::chrono::days(1);
    /// Every line that others should know.
    std::vector<store::EgressLine> lines() const;
    Duration remember_for() const { return settings_.policy.remember_for; }

    /// Reads the leases files once. Awaited before the first connection, lest its device be taken for a stranger.
    io::Task<void> read_leases();
    /// Reads them again whenever they change, until cancelled.
    io::Task<void> follow_leases(io::Cancellation& cancellation);
    /// Takes RADIUS accounting, until cancelled.
    io::Task<void> take_accounting(io::Cancellation& cancellation);
    /// Each second writes what is due, and ends what has had its time, until cancelled.
    io::Task<void> keep_time(io::Cancellation& cancellation);

    const Book& book() const { return book_; }
    const People& people() const { return people_; }
    std::uint64_t forged() const { return forged_; }  // accounting packets that were not believed, since the start

private:
    void settle(const std::vector<IpAddress>& changed);
    void follow_changes();
    void take_packet(const IpAddress& from, Bytes bytes, std::vector<std::byte>& answer);
    io::Task<void> listen_for_accounting(io::Cancellation& cancellation, config::ListenAddress address);

    io::Loop& loop_;
    Options options_;
    Settings settings_;
    NetworkSet clients_;
    Book book_;
    People people_;
    std::optional<Keeper> keeper_;
    io::Event settings_changed_;  // for take_accounting
    bool hearing_ = false;
    bool heard_ = false;  // something that lookups don't know yet
    std::uint64_t forged_ = 0;
};

}  // namespace sallyport::egress
