#include "io/worker.hpp"

#include "io/testing.hpp"

#include <latch>
#include <memory>
#include <thread>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::RealLoop;

namespace {

// A job that says when it has begun and ends when it may.
struct Gate {
    std::latch begun{1};
    std::latch open{1};
};

// A gate opens even where an expectation fails, so that no test hangs on its worker.
auto passes(std::shared_ptr<Gate> gate, int result) {
    return [gate, result] {
        gate->begun.count_down();
        gate->open.wait();
        return result;
    };
}

using Answer = std::expected<int, NotRun>;

Task<void> asks(Worker& worker, Loop& loop, Cancellation& cancellation, std::move_only_function<int()> job,
                std::vector<Answer>& answers) {
    const Answer answer = co_await worker.run(loop, cancellation, std::move(job));
    answers.push_back(answer);
}

}  // namespace

TEST(Worker, RunsAJobOnItsThreadAndAnswersOnTheLoops) {
    RealLoop loop;
    Worker worker(4);
    loop.run([](Loop& on, Worker& w) -> Task<void> {
        Cancellation never;
        const auto caller = std::this_thread::get_id();
        const auto ran_on = co_await w.run(on, never, [] { return std::this_thread::get_id(); });
        EXPECT_TRUE(ran_on.has_value());
        EXPECT_NE(ran_on.value_or(caller), caller);
        EXPECT_EQ(std::this_thread::get_id(), caller);
    }(*loop, worker));
}

TEST(Worker, JobsRunInTheOrderOfAsking) {
    RealLoop loop;
    Worker worker(1000);
    std::vector<Answer> answers;
    loop.run([](Loop& on, Worker& w, std::vector<Answer>& into) -> Task<void> {
        Scope scope(on);
        for (int i = 0; i < 1000; ++i) scope.spawn(asks(w, on, scope.cancellation(), [i] { return i; }, into));
        co_await scope.join();
    }(*loop, worker, answers));
    ASSERT_EQ(answers.size(), 1000U);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)], i);
}

TEST(Worker, ValuesThatOnlyMoveComeBackAndAreDestroyedOnTheLoopsThread) {
    RealLoop loop;
    Worker worker(4);
    loop.run([](Loop& on, Worker& w) -> Task<void> {
        Cancellation never;
        struct Deleter {
            std::thread::id* last;
            void operator()(const int* value) const {
                *last = std::this_thread::get_id();
                delete value;
            }
        };
        std::thread::id deleted_on;
        std::unique_ptr<int, Deleter> given(new int(41), Deleter{&deleted_on});
        auto result = co_await w.run(on, never, [held = std::move(given)] { return std::make_unique<int>(*held + 1); });
        EXPECT_TRUE(result.has_value() && **result == 42);
        co_await Yield{on};  // the posted job is let go after the one who waited has been woken
        EXPECT_EQ(deleted_on, std::this_thread::get_id());
    }(*loop, worker));
}

TEST(Worker, AFullQueueRefusesAtOnce) {
    RealLoop loop;
    Worker worker(2);
    auto gate = std::make_shared<Gate>();
    std::vector<Answer> answers;
    loop.run([](Loop& on, Worker& w, std::shared_ptr<Gate> held, std::vector<Answer>& into) -> Task<void> {
        Scope scope(on);
        scope.spawn(asks(w, on, scope.cancellation(), passes(held, 1), into));
        held->begun.wait();  // from here on the queue is empty and the thread is busy
        scope.spawn(asks(w, on, scope.cancellation(), [] { return 2; }, into));
        scope.spawn(asks(w, on, scope.cancellation(), [] { return 3; }, into));
        scope.spawn(asks(w, on, scope.cancellation(), [] { return 4; }, into));
        held->open.count_down();
        co_await scope.join();
    }(*loop, worker, gate, answers));
    EXPECT_EQ(answers, (std::vector<Answer>{std::unexpected(NotRun::full), 1, 2, 3}));
}

TEST(Worker, ACancelledCallerGoesOnAtOnceAndTheLateResultIsDropped) {
    RealLoop loop;
    Worker worker(2);
    auto gate = std::make_shared<Gate>();
    std::vector<Answer> answers;
    const std::weak_ptr<Gate> watched = gate;
    loop.run([](Loop& on, Worker& w, std::shared_ptr<Gate> held, std::vector<Answer>& into) -> Task<void> {
        Scope scope(on);
        bool waiting_job_ran = false;
        scope.spawn(asks(w, on, scope.cancellation(), passes(held, 1), into));
        scope.spawn(asks(
            w, on, scope.cancellation(),
            [&waiting_job_ran] {
                waiting_job_ran = true;
                return 2;
            },
            into));
        held->begun.wait();
        scope.cancel();
        co_await scope.join();  // while the job still runs
        EXPECT_EQ(into, (std::vector<Answer>{std::unexpected(NotRun::cancelled), std::unexpected(NotRun::cancelled)}));
        held->open.count_down();
        Cancellation never;
        const Answer later = co_await w.run(on, never, [] { return 3; });
        EXPECT_EQ(later, 3);
        EXPECT_FALSE(waiting_job_ran);
    }(*loop, worker, std::move(gate), answers));
    EXPECT_EQ(answers.size(), 2U);
    EXPECT_TRUE(watched.expired()) << "the dropped job still lives";
}

TEST(Worker, ACallerThatIsCancelledBeforehandAsksNothing) {
    RealLoop loop;
    Worker worker(2);
    loop.run([](Loop& on, Worker& w) -> Task<void> {
        Cancellation cancelled;
        cancelled.request();
        bool ran = false;
        const Answer answer = co_await w.run(on, cancelled, [&ran] {
            ran = true;
            return 1;
        });
        EXPECT_EQ(answer, std::unexpected(NotRun::cancelled));
        Cancellation never;
        const Answer next = co_await w.run(on, never, [] { return 2; });
        EXPECT_EQ(next, 2);
        EXPECT_FALSE(ran);
    }(*loop, worker));
}

TEST(Worker, CancellingInTheTurnInWhichTheResultComesResumesOnce) {
    for (int round = 0; round < 200; ++round) {
        RealLoop loop;
        Worker worker(1);
        std::vector<Answer> answers;
        loop.run([](Loop& on, Worker& w, int turns, std::vector<Answer>& into) -> Task<void> {
            Scope scope(on);
            scope.spawn(asks(w, on, scope.cancellation(), [] { return 1; }, into));
            for (int i = 0; i < turns % 8; ++i) co_await Yield{on};
            scope.cancel();
            co_await scope.join();
        }(*loop, worker, round, answers));
        EXPECT_EQ(answers.size(), 1U);
    }
}

TEST(Worker, StopEndsTheRunningJobAndAnswersTheWaitingOne) {
    RealLoop loop;
    Worker worker(1);
    auto gate = std::make_shared<Gate>();
    std::vector<Answer> answers;
    loop.run([](Loop& on, Worker& w, std::shared_ptr<Gate> held, std::vector<Answer>& into) -> Task<void> {
        Scope scope(on);
        scope.spawn(asks(w, on, scope.cancellation(), passes(held, 1), into));
        held->begun.wait();
        scope.spawn(asks(w, on, scope.cancellation(), [] { return 2; }, into));
        std::thread stopper([&w] { w.stop(); });
        Cancellation never;
        Answer refused = std::unexpected(NotRun::full);
        while (refused == std::unexpected(NotRun::full)) {  // until the stopper has got that far
            refused = co_await w.run(on, never, [] { return 3; });
            co_await Yield{on};
        }
        EXPECT_EQ(refused, std::unexpected(NotRun::stopped));
        held->open.count_down();
        stopper.join();
        co_await scope.join();
    }(*loop, worker, gate, answers));
    EXPECT_EQ(answers, (std::vector<Answer>{1, std::unexpected(NotRun::stopped)}));
}

TEST(Worker, ServesSeveralLoopsAtOnce) {
    const std::unique_ptr<Loop> loops[] = {*Loop::create(), *Loop::create()};
    Worker worker(1000);
    const auto serve = [&worker](Loop& loop, int base) {
        std::vector<Answer> answers;
        Scope scope(loop);
        scope.spawn([](Loop& on, Worker& w, int from, std::vector<Answer>& into) -> Task<void> {
            Scope inner(on);
            for (int i = 0; i < 100; ++i)
                inner.spawn(asks(w, on, inner.cancellation(), [from, i] { return from + i; }, into));
            co_await inner.join();
            on.stop();
        }(loop, worker, base, answers));
        loop.run();
        for (int i = 0; i < 100; ++i) EXPECT_EQ(answers[static_cast<std::size_t>(i)], base + i);
    };
    std::thread one(serve, std::ref(*loops[0]), 0);
    std::thread two(serve, std::ref(*loops[1]), 1000);
    one.join();
    two.join();
}
