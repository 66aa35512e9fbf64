// What a diagnosis says: findings, each with its evidence, its cost and its remedy.
#pragma once

#include "base/address.hpp"
#include "diagnose/flow.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::diagnose {

enum class Severity : std::uint8_t { info, warning, error };
enum class Confidence : std::uint8_t { possible, likely, certain };

std::string_view name(Severity severity);
std::string_view name(Confidence confidence);

/// The successful attempt behind a failed one.
struct Fallback {
    IpAddress server{};
    std::uint16_t port = 0;
    double after = 0;  // seconds from the first SYN of the failed one
};

struct Interval {
    Time from = 0;
    Time to = 0;
};

/// The rule that mends it, ready to paste; a line is empty where no rule does.
struct Fix {
    std::string nft{};
    std::string iptables{};
    std::string advice{};  // what to do, in words

    bool empty() const { return nft.empty() && iptables.empty() && advice.empty(); }
};

/// A value of a finding that only some have: a number in decimal, or text from outside.
struct Detail {
    std::string_view key{};  // snake_case, as in the JSON
    std::string value{};
    bool number = false;
};

inline constexpr std::size_t max_evidence = 64;  // packets that a finding lists

struct Finding {
    std::string_view id{};
    Severity severity = Severity::info;
    Confidence confidence = Confidence::certain;
    IpAddress client{}, server{};
    std::uint16_t port = 0;
    std::string_view protocol{};  // "tcp" or "udp"
    std::string kind{};  // tells findings of one id and the same ends apart, where there may be several
    std::vector<PacketNumber> packets{};
    std::vector<Interval> lost{};  // in which the client waited in vain
    bool lost_at_least = false;  // the capture ended, or what came next is not in it
    std::string schedule{};  // of repeated attempts
    std::optional<Fallback> fallback{};
    std::string text{};  // what happened
    std::string why{};  // what it was concluded from
    std::string vantage{};  // what this capture can't know
    std::string next{};  // what to look at then
    Fix fix{};
    std::vector<Detail> details{};

    double seconds_lost() const;
    void add_packet(PacketNumber packet) {
        if (packets.size() < max_evidence) packets.push_back(packet);
    }
};

/// The seconds in which at least one of the intervals ran.
double union_of(std::vector<Interval> intervals);

/// Should `a` be told before `b`?
bool is_worse(const Finding& a, const Finding& b);

/// What detectors conclude. A flood under forged addresses is a finding of each of them: past `most_kept` the least are
/// dropped, and counted.
class Findings {
public:
    using value_type = Finding;
    static constexpr std::size_t most_kept = 4000;

    void push_back(Finding finding);
    auto begin() { return kept_.begin(); }
    auto end() { return kept_.end(); }
    /// Those that were concluded, kept or not.
    std::size_t concluded() const { return kept_.size() + dropped_; }
    std::size_t dropped() const { return dropped_; }
    std::vector<Finding> take() { return std::move(kept_); }

private:
    std::vector<Finding> kept_;
    std::size_t dropped_ = 0;
};

}  // namespace sallyport::diagnose
