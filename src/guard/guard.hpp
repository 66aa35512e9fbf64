// The guard at work, on the control loop: takes what the lookouts were told, lets the table judge, and brings what
// comes of it to all who go by it.
#pragma once

#include "guard/keeper.hpp"
#include "guard/kernel_bans.hpp"
#include "guard/lookout.hpp"
#include "guard/shared_line.hpp"
#include "guard/table.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <cstdint>
#include <functional>
#include <map>
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

    /// Others are told of every change by this from now on.
    void share_by(std::function<void(share::Line)> tell) { tell_ = std::move(tell); }
    /// Has the kernel refuse whom it bans, from now on; null: no more. It outlives this, or the next call.
    void enforce_by(KernelBans* kernel);

    /// A line of another gateway, which may be broken or hostile: no more than `shared_for` lasts, no network wider
    /// than `shared_width`, and nobody whom this gateway never bans.
    void hear(const store::GuardRow& row);
    std::vector<store::GuardRow> rows() const;
    static constexpr Duration shared_for = std::chrono::days(366);
    static constexpr unsigned shared_width = 8;  // bits

    void apply(Policy policy);
    /// @param lasts  Duration::max(): for ever
    Result<Entry> ban(const Network& who, Duration lasts, std::string reason);
    Result<Entry> allow(const Network& who, Duration lasts, std::string reason);
    bool remove(const Network& who);

    const Table& table() const { return table_; }
    std::uint64_t added() const { return added_; }  // bans since the start
    std::uint64_t signs() const { return signs_; }  // that were counted or would have been
    std::uint64_t dropped() const;  // by lookouts that were told too much at once

private:
    Clocks clocks() const { return {loop_.now(), loop_.wall()}; }
    void write(bool all);
    void hear_lifted(const store::GuardRow& row);
    bool was_lifted_since(const store::GuardRow& row) const;
    void note_lifted(const store::GuardRow& row);
    void tell_others(const Change& change);
    SteadyTime term(Duration lasts) const;
    void settle();
    void publish();
    void follow(const Change& change);
    void tell_kernel(const Change& change, ClientKey client);

    io::Loop& loop_;
    Options options_;
    std::shared_ptr<BanIndex> index_;
    Table table_;
    std::vector<Lookout*> lookouts_;
    std::optional<Keeper> keeper_;
    std::function<void(share::Line)> tell_;
    KernelBans* kernel_ = nullptr;
    std::map<std::string, store::GuardRow> lifted_;  // by who: what others may not have heard of yet
    bool restoring_ = false;
    bool hearing_ = false;
    bool lists_changed_ = false;
    std::uint64_t added_ = 0;
    std::uint64_t signs_ = 0;
};

}  // namespace sallyport::guard
