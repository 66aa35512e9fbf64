#include "telemetry/metrics.hpp"

#include <gtest/gtest.h>

#include <charconv>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::telemetry;
using namespace std::chrono_literals;

namespace {

// A strict reader of the text format 0.0.4, as far as the page uses it: HELP, TYPE, then samples of that family only.
struct MetricsPage {
    std::map<std::string, std::string> types;      // family: type
    std::map<std::string, double> samples;         // "name{labels}": value
    std::vector<std::string> faults;
};

bool is_name(std::string_view text) {
    return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789") == std::string_view::npos &&
           (text.front() < '0' || text.front() > '9');
}

bool are_labels(std::string_view text) {
    while (!text.empty()) {
        const auto equals = text.find("=\"");
        if (equals == std::string_view::npos || !is_name(text.substr(0, equals))) return false;
        const auto quote = text.find('"', equals + 2);
        if (quote == std::string_view::npos) return false;
        text.remove_prefix(quote + 1);
        if (text.starts_with(','))
            text.remove_prefix(1);
        else if (!text.empty())
            return false;
    }
    return true;
}

bool belongs_to(std::string_view name, const std::string& family, const std::string& type) {
    if (type != "histogram") return name == family;
    return name == family + "_bucket" || name == family + "_sum" || name == family + "_count";
}

void read_sample(MetricsPage& page, const std::string& line, const std::string& family) {
    const auto blank = line.rfind(' ');
    const std::string series = line.substr(0, blank);
    const auto brace = series.find('{');
    const std::string name = series.substr(0, brace);
    bool good = is_name(name) && belongs_to(name, family, page.types[family]);
    if (brace != std::string::npos) {
        good = good && series.ends_with('}') &&
               are_labels(std::string_view(series).substr(brace + 1, series.size() - brace - 2));
    }
    double value = 0;
    const char* end = line.data() + line.size();
    good = good && std::from_chars(line.data() + blank + 1, end, value).ptr == end && value >= 0;
    if (!good || !page.samples.emplace(series, value).second) page.faults.push_back(line);
}

MetricsPage read(const std::string& text) {
    MetricsPage page;
    std::string helped;
    std::string family;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string hash, keyword, name, rest;
        if (line.starts_with("# HELP ")) {
            words >> hash >> keyword >> helped >> rest;
            if (rest.empty()) page.faults.push_back(line);
        } else if (line.starts_with("# TYPE ")) {
            words >> hash >> keyword >> family >> rest;
            const bool known = rest == "counter" || rest == "gauge" || rest == "histogram";
            if (!known || family != helped || !page.types.emplace(family, rest).second) page.faults.push_back(line);
            if ((rest == "counter") != family.ends_with("_total")) page.faults.push_back(line);
        } else {
            read_sample(page, line, family);
        }
    }
    if (!text.ends_with('\n')) page.faults.push_back("no newline at the end");
    return page;
}

Record ended(Verdict verdict, Reason reason, Duration duration) {
    Record record;
    record.verdict = verdict;
    record.reason = reason;
    record.duration = duration;
    return record;
}

}  // namespace

TEST(Metrics, AreAWellFormedPageWithTheSumOfAllLoops) {
    LoopCounters one;
    LoopCounters two;
    one.accepted(Protocol::http);
    two.accepted(Protocol::http);
    two.closed(Protocol::http);
    one.passed(Protocol::http, 100, 5000);
    two.passed(Protocol::http, 11, 0);
    one.http_request();
    one.ended(ended(Verdict::forwarded, Reason::ok, 300us));
    two.ended(ended(Verdict::forwarded, Reason::ok, 3h));
    two.ended(ended(Verdict::refused, Reason::service_unknown, 0ns));
    const std::array<const LoopCounters*, 2> loops{&one, &two};
    const ProcessFacts process{.open_descriptors = 7,
                               .most_descriptors = 1024,
                               .resident_bytes = 4096,
                               .virtual_bytes = 8192,
                               .cpu_seconds = 1.5};

    Totals totals = collect(loops);
    totals.turns = 2;
    const MetricsPage page =
        read(metrics_text(totals, {.records = 3, .events = 0, .lines = 1}, {.bans = 4, .signs = 9}, process, 90s));
    EXPECT_EQ(page.faults, std::vector<std::string>{});
    const std::map<std::string, double> expected{
        {"sallyport_build_info{version=\"" SALLYPORT_VERSION "\"}", 1},
        {"sallyport_uptime_seconds", 90},
        {"sallyport_connections_accepted_total{protocol=\"http\"}", 2},
        {"sallyport_connections_open{protocol=\"http\"}", 1},
        {"sallyport_connections_open{protocol=\"sip\"}", 0},
        {"sallyport_received_bytes_total{protocol=\"http\"}", 111},
        {"sallyport_sent_bytes_total{protocol=\"http\"}", 5000},
        {"sallyport_http_requests_total", 1},
        {"sallyport_ended_total{protocol=\"http\",verdict=\"forwarded\",reason=\"ok\"}", 2},
        {"sallyport_ended_total{protocol=\"http\",verdict=\"refused\",reason=\"service.unknown\"}", 1},
        {"sallyport_duration_seconds_count{protocol=\"http\"}", 3},
        {"sallyport_duration_seconds_sum{protocol=\"http\"}", 10800.0003},
        {"sallyport_duration_seconds_bucket{protocol=\"http\",le=\"0.00025\"}", 1},
        {"sallyport_duration_seconds_bucket{protocol=\"http\",le=\"0.0005\"}", 2},
        {"sallyport_duration_seconds_bucket{protocol=\"http\",le=\"4194.304\"}", 2},
        {"sallyport_duration_seconds_bucket{protocol=\"http\",le=\"+Inf\"}", 3},
        {"sallyport_loop_turns_total", 2},
        {"sallyport_log_dropped_total{what=\"record\"}", 3},
        {"sallyport_log_dropped_total{what=\"line\"}", 1},
        {"process_open_fds", 7},
        {"process_cpu_seconds_total", 1.5},
    };
    for (const auto& [series, value] : expected) {
        ASSERT_TRUE(page.samples.contains(series)) << series;
        EXPECT_DOUBLE_EQ(page.samples.at(series), value) << series;
    }
    EXPECT_FALSE(page.samples.contains("sallyport_ended_total{protocol=\"http\",verdict=\"refused\",reason=\"ok\"}"));
}

TEST(Metrics, BucketsGrowUpwardsAndEndWithTheCount) {
    LoopCounters loop;
    for (Duration duration = 1us; duration < 10h; duration *= 3)
        loop.ended(ended(Verdict::forwarded, Reason::ok, duration));
    const std::array<const LoopCounters*, 1> loops{&loop};
    const Totals totals = collect(loops);
    std::uint64_t sum = 0;
    for (const std::uint64_t count : totals.of(Protocol::http).durations) sum += count;
    EXPECT_EQ(sum, totals.of(Protocol::http).ended[1][index(Reason::ok)]);
}

TEST(DurationBucket, IsTheFirstWhoseBoundIsNotBelow) {
    EXPECT_EQ(duration_bucket(0ns), 0U);
    EXPECT_EQ(duration_bucket(250us), 0U);
    EXPECT_EQ(duration_bucket(250us + 1ns), 1U);
    for (std::size_t i = 0; i < duration_bounds; ++i) {
        EXPECT_EQ(duration_bucket(duration_bound(i)), i);
        EXPECT_EQ(duration_bucket(duration_bound(i) + 1ns), i + 1);
    }
    EXPECT_EQ(duration_bucket(std::chrono::hours{24 * 365}), duration_bounds);
}

TEST(Counters, TakeADurationBelowZeroForNone) {
    LoopCounters loop;
    loop.ended(ended(Verdict::forwarded, Reason::ok, -1s));
    const std::array<const LoopCounters*, 1> loops{&loop};
    EXPECT_EQ(collect(loops).of(Protocol::http).duration_nanoseconds, 0U);
    EXPECT_EQ(collect(loops).of(Protocol::http).durations[0], 1U);
}

TEST(Counters, AreReadWhileTheirLoopCounts) {
    LoopCounters loop;
    const std::array<const LoopCounters*, 1> loops{&loop};
    std::thread writer([&] {
        for (int i = 0; i < 20'000; ++i) {
            loop.accepted(Protocol::http);
            loop.ended(ended(Verdict::refused, Reason::acl_denied, 1ms));
            loop.closed(Protocol::http);
        }
    });
    std::uint64_t before = 0;
    for (int i = 0; i < 50; ++i) {
        const Totals totals = collect(loops);
        EXPECT_GE(totals.of(Protocol::http).accepted, before);
        before = totals.of(Protocol::http).accepted;
    }
    writer.join();
    EXPECT_EQ(collect(loops).of(Protocol::http).ended[0][index(Reason::acl_denied)], 20'000U);
}

TEST(ProcessFacts, AreThoseOfThisProcess) {
    const ProcessFacts facts = process_facts();
    EXPECT_GE(facts.open_descriptors, 3U);
    EXPECT_GE(facts.most_descriptors, facts.open_descriptors);
    EXPECT_GT(facts.resident_bytes, 1U << 20);
    EXPECT_GT(facts.virtual_bytes, facts.resident_bytes);
}
