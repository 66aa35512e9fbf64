#include "telemetry/logger.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <string>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::telemetry;
namespace fs = std::filesystem;

namespace {

// What a test's sink received, kept beyond the logger's life.
struct Received {
    std::string text;
    std::uint64_t count(std::string_view word) const {
        std::uint64_t found = 0;
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
        return found;
    }
};

class KeepingSink final : public Sink {
public:
    explicit KeepingSink(Received& received) : received_(received) {}
    std::uint64_t write(std::string_view lines, const std::stop_token&) override {
        received_.text += lines;
        return 0;
    }

private:
    Received& received_;
};

// Takes nothing until the test lets it.
class StalledSink final : public Sink {
public:
    StalledSink(Received& received, std::latch& entered, std::latch& released)
        : received_(received), entered_(entered), released_(released) {}
    std::uint64_t write(std::string_view lines, const std::stop_token&) override {
        if (first_) entered_.count_down();
        first_ = false;
        released_.wait();
        received_.text += lines;
        return 0;
    }

private:
    Received& received_;
    std::latch& entered_;
    std::latch& released_;
    bool first_ = true;
};

// Counts lines while they come.
class CountingSink final : public Sink {
public:
    explicit CountingSink(std::atomic<int>& lines) : lines_(lines) {}
    std::uint64_t write(std::string_view lines, const std::stop_token&) override {
        lines_ += static_cast<int>(std::ranges::count(lines, '\n'));
        return 0;
    }

private:
    std::atomic<int>& lines_;
};

class Folder {
public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "sallyport-log-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~Folder() { fs::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string file(const char* name) const { return path_ / name; }

private:
    fs::path path_;
};

std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

LogSettings to(const std::string& destination) {
    LogSettings settings;
    settings.node = "edge-1";
    settings.destination = destination;
    return settings;
}

Record record_of(Verdict verdict) {
    Record record;
    record.verdict = verdict;
    record.looked_for = "hq.example.com";
    return record;
}

}  // namespace

TEST(Logger, WritesEveryRecordAndEventReportedBeforeStop) {
    Received received;
    Logger logger(to("test"), std::make_unique<KeepingSink>(received));
    std::vector<std::jthread> loops;
    for (int loop = 0; loop < 3; ++loop) {
        Reporter& reporter = logger.add_reporter();
        loops.emplace_back([&logger, &reporter] {
            for (int i = 0; i < 2000; ++i) reporter.report(record_of(Verdict::forwarded));
            logger.log(Level::info, "loop ended", {{"threads", "3"}});
        });
    }
    loops.clear();
    logger.stop();
    logger.stop();
    EXPECT_EQ(received.count("\"event\":\"record\""), 6000U);
    EXPECT_EQ(received.count("\"event\":\"message\""), 3U);
    EXPECT_EQ(received.count("\n"), 6003U);
    EXPECT_EQ(logger.losses().records + logger.losses().events + logger.losses().lines, 0U);
}

TEST(Logger, NeverHoldsUpItsReportersWhenTheSinkStallsAndTellsWhatWasDropped) {
    Received received;
    std::latch entered(1);
    std::latch released(1);
    Logger logger(to("test"), std::make_unique<StalledSink>(received, entered, released));
    Reporter& reporter = logger.add_reporter(4096);
    logger.log(Level::info, "first");
    entered.wait();  // from here on the log's thread takes nothing

    constexpr std::uint64_t reported = 1000;
    for (std::uint64_t i = 0; i < reported; ++i) reporter.report(record_of(Verdict::refused));
    for (std::size_t i = 0; i < Logger::most_waiting_events + 5; ++i) logger.log(Level::info, "waiting");
    const std::uint64_t dropped = reporter.dropped();
    EXPECT_GT(dropped, 0U);
    EXPECT_LT(dropped, reported);
    EXPECT_EQ(logger.losses().records, dropped);
    EXPECT_EQ(logger.losses().events, 5U);

    released.count_down();
    logger.stop();
    EXPECT_EQ(received.count("\"event\":\"record\""), reported - dropped);
    EXPECT_EQ(received.count("\"waiting\""), Logger::most_waiting_events);
    EXPECT_EQ(received.count("\"count\":\"" + std::to_string(dropped) + "\""), 1U) << received.text.substr(0, 2000);
}

TEST(Logger, SleepsUntilSomethingIsReportedOrLogged) {
    std::atomic<int> lines{0};
    Logger logger(to("test"), std::make_unique<CountingSink>(lines));
    Reporter& reporter = logger.add_reporter();
    for (int i = 1; i <= 10; ++i) {
        while (!logger.sleeps()) std::this_thread::yield();
        if (i % 2 == 0)
            reporter.report(record_of(Verdict::forwarded));
        else
            logger.log(Level::info, "here");
        while (lines.load() < i) std::this_thread::yield();
    }
}

TEST(Logger, StopsThoughNobodyReadsThePipe) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    Logger logger(to("test"), descriptor_sink(ends[1]));
    Reporter& reporter = logger.add_reporter();
    for (int i = 0; i < 2000; ++i) reporter.report(record_of(Verdict::refused));  // more than a pipe holds
    logger.stop();
    EXPECT_GT(logger.losses().lines, 0U);
    EXPECT_EQ(logger.losses().records, 0U);
    close(ends[0]);
    close(ends[1]);
}

TEST(Logger, OutlivesAReaderThatWentAway) {
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    close(ends[0]);
    Logger logger(to("test"), descriptor_sink(ends[1]));
    logger.log(Level::info, "nobody hears this");
    logger.stop();  // and no SIGPIPE came
    EXPECT_EQ(logger.losses().lines, 1U);
    close(ends[1]);
}

TEST(Logger, KeepsToItsSwitchesAndItsLevel) {
    struct Case {
        bool forwarded, refused;
        std::uint64_t records;
    };
    for (const Case& c : {Case{true, true, 3}, Case{true, false, 2}, Case{false, true, 1}, Case{false, false, 0}}) {
        Received received;
        LogSettings settings = to("test");
        settings.forwarded = c.forwarded;
        settings.refused = c.refused;
        settings.level = Level::warn;
        Logger logger(settings, std::make_unique<KeepingSink>(received));
        Reporter& reporter = logger.add_reporter();
        for (const Verdict verdict : {Verdict::forwarded, Verdict::refused, Verdict::forwarded}) {
            reporter.report(record_of(verdict));
        }
        for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) logger.log(level, "event");
        logger.stop();
        EXPECT_EQ(received.count("\"event\":\"record\""), c.records);
        EXPECT_EQ(received.count("\"message\":\"event\""), 2U);
    }
}

TEST(Logger, WritesToANewFileAfterRotation) {
    const Folder folder;
    const std::string path = folder.file("sallyport.log");
    auto logger = Logger::open(to(path));
    ASSERT_TRUE(logger);
    (*logger)->log(Level::info, "before");
    while (content(path).empty()) std::this_thread::yield();
    fs::rename(path, path + ".1");
    (*logger)->reopen();
    (*logger)->log(Level::info, "after");
    (*logger)->stop();
    EXPECT_NE(content(path + ".1").find("before"), std::string::npos);
    EXPECT_EQ(content(path + ".1").find("after"), std::string::npos);
    EXPECT_NE(content(path).find("after"), std::string::npos);

    struct stat status{};
    ASSERT_EQ(stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0037U, 0U) << "a log names clients: others may not read it";
}

TEST(Logger, TakesNewSettingsAndKeepsTheOldOnesWhenTheFileCannotBeOpened) {
    const Folder folder;
    const std::string first = folder.file("first.log");
    const std::string second = folder.file("second.log");
    auto logger = Logger::open(to(first));
    ASSERT_TRUE(logger);

    const auto refused = (*logger)->apply(to(folder.file("missing/x.log")));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("missing/x.log"), std::string::npos);

    LogSettings text = to(second);
    text.format = LogFormat::text;
    ASSERT_TRUE((*logger)->apply(text));
    (*logger)->log(Level::info, "after the change");
    (*logger)->stop();
    EXPECT_NE(content(second).find(" info after the change\n"), std::string::npos);
    EXPECT_EQ(content(first), "");
}

TEST(Logger, SaysWhatTheDestinationLacks) {
    const auto logger = Logger::open(to("/nonexistent/sallyport.log"));
    ASSERT_FALSE(logger);
    EXPECT_EQ(logger.error().message, "cannot open the log file /nonexistent/sallyport.log: No such file or directory");
}

TEST(LogSettings, KnowTheWordsOfTheConfiguration) {
    EXPECT_EQ(find_log_format("auto"), LogFormat::automatic);
    EXPECT_EQ(find_log_format("text"), LogFormat::text);
    EXPECT_EQ(find_log_format("json"), LogFormat::json);
    EXPECT_FALSE(find_log_format("xml"));
    for (const std::string_view word : level_names) EXPECT_EQ(name(*find_level(word)), word);
    EXPECT_FALSE(find_level("verbose"));
}
