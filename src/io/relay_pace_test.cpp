// A relay that is slowed down: nothing is lost, no side waits for ever, and the time is virtual.
#include "io/relay_testing.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::Ended;
using io::testing::read_to_end;
using io::testing::relays;
using io::testing::sends_all_then_ends;
using io::testing::VirtualLoop;

namespace {

constexpr std::size_t portion = 1000;  // bytes
constexpr Duration every = 100ms;

// One portion at a time.
class Portions final : public RelayPace {
public:
    explicit Portions(Cancellation& cancellation) : RelayPace(cancellation) {}

    void give_back(std::size_t bytes) override {
        if (bytes == portion) next_ = before_;
    }

private:
    Grant ask(SteadyTime now) override {
        if (now < next_) return {.bytes = 0, .again = next_};
        before_ = std::exchange(next_, now + every);
        return {.bytes = portion};
    }
    SteadyTime before_{};
    SteadyTime next_{};
};

struct Bench : io::testing::RelayBench {
    using RelayBench::RelayBench;
    Ended relayed{{}, RelayEnd::idle};  // no end that is expected of any
};

Task<void> reads(Stream& stream, std::string& into) { into = co_await read_to_end(stream); }

}  // namespace

TEST(RelayPace, LosesNothingAndTakesTheTimeItIsGiven) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Bench bench(on);
        Portions pace(bench.cancellation);
        const std::string text(20 * portion, 'x');
        std::string got;
        Scope scope(on);
        const SteadyTime begun = on.now();
        scope.spawn(relays(bench, {.pace = &pace}, bench.relayed));
        scope.spawn(sends_all_then_ends(bench.client(), text));
        scope.spawn(sends_all_then_ends(bench.target(), ""));
        scope.spawn(reads(bench.target(), got));
        co_await scope.join();
        EXPECT_EQ(got.size(), text.size());
        EXPECT_EQ(bench.relayed.end, RelayEnd::both_closed);
        EXPECT_GE(on.now() - begun, 19 * every);
        EXPECT_LE(on.now() - begun, 21 * every);
    }(*loop));
}

TEST(RelayPace, GivesBothSidesTheirShare) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Bench bench(on);
        Portions pace(bench.cancellation);
        const std::string text(100 * portion, 'x');
        Scope scope(on);
        scope.spawn(relays(bench, {.pace = &pace}, bench.relayed));
        scope.spawn(sends_all_then_ends(bench.client(), text));
        scope.spawn(sends_all_then_ends(bench.target(), text));
        const Wait slept = co_await Sleep(on, scope.cancellation(), on.in(40 * every));
        EXPECT_EQ(slept, Wait::timeout);
        EXPECT_GE(std::min(bench.relayed.to_target, bench.relayed.to_client), 19 * portion);
        bench.cancellation.request();
        scope.cancel();
        co_await scope.join();
    }(*loop));
}

TEST(RelayPace, EndsInAPauseWhenItIsCancelled) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Bench bench(on);
        Portions pace(bench.cancellation);
        Scope scope(on);
        EXPECT_EQ(bench.client().write(as_bytes(std::string(2 * portion, 'x'))), Io::ok);
        scope.spawn(relays(bench, {.pace = &pace}, bench.relayed));
        const Wait slept = co_await Sleep(on, scope.cancellation(), on.in(every / 2));
        EXPECT_EQ(slept, Wait::timeout);
        EXPECT_EQ(bench.relayed.to_target, portion);
        const SteadyTime cancelled = on.now();
        bench.cancellation.request();
        co_await scope.join();
        EXPECT_EQ(bench.relayed.end, RelayEnd::cancelled);
        EXPECT_EQ(on.now(), cancelled);
    }(*loop));
}
