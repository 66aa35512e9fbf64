// The guard at work, on the control loop: takes what the lookouts were told, lets the table judge, and brings what
// comes of it to all who go by it.
#pragma once

#include "guard/keeper.hpp"
#include "guard/lookout.hpp"
#include "guard/table.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sallyport::guard {

class Guard {
public:
    struct Options {
        std::string node;
        /// Brings it to every lookout, on that one's loop.
        std::function<void(std::shared_ptr<const Bans>)> publish;
        /// Each change, for the log.
        std::function<void(const Change&)> changed;
        /// What an admin should know.
        std::function<void(const std::string&)> trouble = {};
        Limits limits = {};
    };

    /// @param loop  the control loop; outlives this
    Guard(io::Loop& loop, Options options);

    /// Takes from this lookout too; it outlives collect().
    void watch(Lookout& lookout) { lookouts_.push_back(&lookout); }
    /// Takes what all lookouts were told. Called when one of them wakes us.
    void collect();
    /// Each second ends what has had its time and writes what is due, until cancelled.
    io::Task<void> keep_time(io::Cancellation& cancellation);
    /// Takes up what stands there, and keeps it in step from now on. It outlives this.
    void remember(store::GuardEntries& entries);

    void apply(Policy policy);
    /// @param lasts  Duration::max(): for ever
    Result<Entry> ban(const Network& who, Duration lasts, std::string reason);
    Result<Entry> allow(const Network& who, Duration lasts, std::string reason);
    bool remove(const Network& who);

    const Table& table() const { return table_; }
    std::uint64_t added() const { return added_; }  // bans since the start
    std::uint64_t signs() const { return signs_; }  // that were counted or would have been
    std::uint64_t dropped() const;                  // by lookouts that were told too much at once

private:
    Clocks clocks() const { return {loop_.now(), loop_.wall()}; }
    void write();
    SteadyTime term(Duration lasts) const;
    void settle();
    void publish();
    void follow(const Change& change);

    io::Loop& loop_;
    Options options_;
    std::shared_ptr<BanIndex> index_;
    Table table_;
    std::vector<Lookout*> lookouts_;
    std::optional<Keeper> keeper_;
    bool restoring_ = false;
    bool lists_changed_ = false;
    std::uint64_t added_ = 0;
    std::uint64_t signs_ = 0;
};

}  // namespace sallyport::guard
