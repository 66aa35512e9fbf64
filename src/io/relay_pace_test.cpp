// A relay that is slowed down: nothing is lost, no side waits for ever, and the time is virtual.
#include "io/relay.hpp"
#include "io/testing.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::read_to_end;
using io::testing::StreamPair;
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

struct Bench {
    Cancellation cancellation;
    StreamPair outer;
    StreamPair inner;
    RelayEnd end = RelayEnd::idle;
    Relayed relayed;

    explicit Bench(Loop& loop) : outer(loop, cancellation), inner(loop, cancellation) {}
    Stream& client() { return outer.near; }
    Stream& target() { return inner.far; }
};

Task<void> relays(Bench& bench, RelayPace& pace) {
    bench.end = co_await relay(bench.outer.far, bench.inner.near, {.pace = &pace}, bench.relayed);
    bench.outer.far.close();
    bench.inner.near.close();
}

Task<void> sends_all_then_ends(Stream& stream, const std::string& what) {
    const Wait waited = co_await stream.write_all(what, Deadline::none);
    EXPECT_EQ(waited, Wait::ready);
    stream.shutdown_write();
}

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
        scope.spawn(relays(bench, pace));
        scope.spawn(sends_all_then_ends(bench.client(), text));
        scope.spawn(sends_all_then_ends(bench.target(), ""));
        scope.spawn(reads(bench.target(), got));
        co_await scope.join();
        EXPECT_EQ(got.size(), text.size());
        EXPECT_EQ(bench.end, RelayEnd::both_closed);
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
        scope.spawn(relays(bench, pace));
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
        scope.spawn(relays(bench, pace));
        const Wait slept = co_await Sleep(on, scope.cancellation(), on.in(every / 2));
        EXPECT_EQ(slept, Wait::timeout);
        EXPECT_EQ(bench.relayed.to_target, portion);
        const SteadyTime cancelled = on.now();
        bench.cancellation.request();
        co_await scope.join();
        EXPECT_EQ(bench.end, RelayEnd::cancelled);
        EXPECT_EQ(on.now(), cancelled);
    }(*loop));
}
