// Shares the guard's lists with other gateways through Redis or Valkey: a hash that holds every line, and a channel
// that tells of each change. On the control loop; nobody ever waits for it.
//
// A line that was taken away stays in the hash until its entry would have expired, with the verdict "lifted". So two
// gateways that meet again after any time need to know one rule only: the newer line of a network holds.
//
// A second hash holds, by node, which addresses are whose, so that no gateway bans another.
#pragma once

#include "base/result.hpp"
#include "guard/gateways.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "store/guard_entries.hpp"
#include "wire/resp/resp.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::guard {

inline constexpr std::string_view lifted = "lifted";  // as a row's verdict: the entry is gone

/// A row as a line of fields between tabs, and back. Nothing where it is no such line; what its fields mean is not
/// judged.
std::string to_line(const store::GuardRow& row);
std::optional<store::GuardRow> parse_line(std::string_view line);

class Share {
public:
    struct Options {
        /// A new connection, with its own limit of time.
        std::function<io::Task<Result<io::Stream>>(io::Cancellation&)> connect;
        std::string user = {};      // of AUTH; empty: "default"
        std::string password = {};  // empty: no AUTH
        std::uint32_t database = 0;
        /// Another gateway's line, or an own one again. As it came.
        std::function<void(const store::GuardRow&)> heard;
        /// All that this gateway holds at present.
        std::function<std::vector<store::GuardRow>()> mine;
        std::string node = {};  // this one's name, which no other has
        /// This node's own addresses, as others may meet them.
        std::function<std::vector<IpAddress>()> own = {};
        /// gateways() has changed.
        std::function<void()> met = {};
        /// It is in step (no reason), or was lost, and why.
        std::function<void(const std::string& why)> changed;
    };

    Share(io::Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}

    /// Connects, and again whenever it is lost, until cancelled.
    io::Task<void> run(io::Cancellation& cancellation);
    /// Tells the others. Kept while nobody can be told; past `most_waiting` lines any one gives way.
    void tell(store::GuardRow row);

    /// Those that share here, this one too. They stay while nobody can be asked.
    const Gateways& gateways() const { return gateways_; }
    bool in_step() const { return in_step_; }
    std::uint64_t lost() const { return lost_; }  // connections, since the start

private:
    static constexpr std::size_t most_waiting = 10'000;   // lines
    static constexpr std::size_t most_scanned = 1'100'000;
    static constexpr std::size_t most_unread = std::size_t{1024} * 1024;  // octets of one answer

    enum class Asked : std::uint8_t { scan, gateways, any };

    io::Task<std::string> converse(io::Stream& stream);
    void greet(io::Stream& stream);
    void send(io::Stream& stream, std::initializer_list<std::string_view> words, Asked asked);
    void send_line(io::Stream& stream, const store::GuardRow& row);
    void send_waiting(io::Stream& stream);
    void send_scan(io::Stream& stream, std::string_view cursor);
    bool is_over(const store::GuardRow& row) const;
    std::string take(io::Stream& stream, const resp::Value& value);
    std::string take_scan(io::Stream& stream, const resp::Value& value);
    std::string take_gateways(io::Stream& stream, const resp::Value& value);
    void take_message(const resp::Value& push);
    void meet(const Announcement& announcement);
    void announce(io::Stream& stream);
    void complete(io::Stream& stream);

    io::Loop& loop_;
    Options options_;
    io::Stream* stream_ = nullptr;  // while it is in step
    Gateways gateways_;
    std::map<std::string, store::GuardRow> waiting_;
    std::deque<Asked> asked_;  // what has not been answered, the oldest first
    std::unordered_map<std::string, std::int64_t> scanned_;  // who and since, until it is in step
    bool in_step_ = false;
    SteadyTime next_scan_{};
    std::uint64_t lost_ = 0;
};

}  // namespace sallyport::guard
