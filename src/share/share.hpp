// What gateways share through Redis or Valkey: lists of lines, each list a hash that holds every line and a channel
// that tells of each change. On the control loop; nobody ever waits for it.
//
// Of two lines by one name the one of the higher rank holds. That rule alone brings gateways into step that meet again
// after any time. So what is taken away is a line as well, until nobody can hold the one that it takes away.
//
// A further hash holds, by node, which addresses are whose, so that no gateway bans another.
#pragma once

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "share/gateways.hpp"
#include "share/line.hpp"
#include "wire/resp/resp.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sallyport::share {

/// One of the lists that are shared.
struct List {
    /// What the sharing itself says of a line that was read: is it to be taken up?
    using Judge = std::function<bool(const Line&)>;

    std::string key;  // of its hash; its channel is this with ":told" behind it
    /// Another gateway's line, or an own one again. As it came: broken, hostile, or not. What is no line of this list
    /// is passed over, and so is one that `judge` says no to.
    std::function<void(std::string_view text, const Judge& judge)> hear;
    /// All that this gateway holds at present.
    std::function<std::vector<Line>()> mine;
};

class Share {
public:
    struct Options {
        /// A new connection, with its own limit of time.
        std::function<io::Task<Result<io::Stream>>(io::Cancellation&)> connect;
        std::string user = {};  // of AUTH; empty: "default"
        std::string password = {};  // empty: no AUTH
        std::uint32_t database = 0;
        std::vector<List> lists;
        std::string node = {};  // this one's name, which no other has
        /// This node's own addresses, as others may meet them.
        std::function<std::vector<IpAddress>()> own = {};
        /// gateways() has changed.
        std::function<void()> met = {};
        /// It is in step (no reason), or was lost, and why.
        std::function<void(const std::string& why)> changed;
    };

    Share(io::Loop& loop, Options options)
        : loop_(loop), options_(std::move(options)), scanned_(options_.lists.size()) {}

    /// Connects, and again whenever it is lost, until cancelled.
    io::Task<void> run(io::Cancellation& cancellation);
    /// Tells the others. Kept while nobody can be told; past `most_waiting` lines one of the last list gives way.
    /// @param list  by its place in Options::lists
    void tell(std::size_t list, Line line);

    /// Those that share here, this one too. They stay while nobody can be asked.
    const Gateways& gateways() const { return gateways_; }
    bool in_step() const { return in_step_; }
    std::uint64_t lost() const { return lost_; }  // connections, since the start

private:
    static constexpr std::size_t most_waiting = 10'000;  // lines
    static constexpr std::size_t most_scanned = 1'100'000;  // of one list
    static constexpr std::size_t most_unread = std::size_t{1024} * 1024;  // octets of one answer

    struct Asked {
        enum class What : std::uint8_t { greeting, scan, gateways, any };

        What what = What::any;
        std::size_t list = 0;  // of a scan
    };

    io::Task<std::string> converse(io::Stream& stream);
    void greet(io::Stream& stream);
    void subscribe(io::Stream& stream);
    void send(io::Stream& stream, std::initializer_list<std::string_view> words, Asked asked);
    void send(io::Stream& stream, std::initializer_list<std::string_view> words) { send(stream, words, Asked()); }
    void send_line(io::Stream& stream, std::size_t list, const Line& line);
    void send_waiting(io::Stream& stream);
    void send_scan(io::Stream& stream, std::size_t list, std::string_view cursor);
    bool is_over(const Line& line) const;
    std::string take(io::Stream& stream, const resp::Value& value);
    std::string take_scan(io::Stream& stream, std::size_t list, const resp::Value& value);
    std::string take_gateways(io::Stream& stream, const resp::Value& value);
    void take_message(const resp::Value& push);
    void meet(const std::optional<Announcement>& announcement);
    void announce(io::Stream& stream);
    void complete(io::Stream& stream);

    io::Loop& loop_;
    Options options_;
    io::Stream* stream_ = nullptr;  // while it is in step
    Gateways gateways_;
    std::map<std::pair<std::size_t, std::string>, Line> waiting_;  // by list and who
    std::deque<Asked> asked_;  // what has not been answered, the oldest first
    std::vector<std::unordered_map<std::string, std::int64_t>> scanned_;  // of each list who and rank, until in step
    bool in_step_ = false;
    SteadyTime next_scan_{};
    std::uint64_t lost_ = 0;
};

}  // namespace sallyport::share
