#include "io/process.hpp"

#include "io/signals.hpp"
#include "io/testing.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <csignal>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using io::testing::RealLoop;
using ::testing::HasSubstr;

namespace {

// Runs it, and sees that it was waited for: no zombie is left.
Result<ProcessResult> run(ProcessOptions options) {
    RealLoop loop;
    std::optional<Result<ProcessResult>> result;
    loop.run([](Loop& on, ProcessOptions how, std::optional<Result<ProcessResult>>& into) -> Task<void> {
        Cancellation never;
        into.emplace(co_await run_process(on, never, std::move(how)));
    }(*loop, std::move(options), result));
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
    return std::move(*result);
}

ProcessOptions shell(std::string script) { return {.arguments = {"sh", "-c", std::move(script)}}; }

}  // namespace

TEST(Process, ItsEndAndItsOutputAreTold) {
    struct Case {
        const char* name;
        ProcessOptions options;
        ProcessEnd end;
        int exit_status;
        int signal;
        std::string out;
        std::string err;
    };
    const Case cases[] = {
        {"nothing", {.arguments = {"true"}}, ProcessEnd::exited, 0, 0, "", ""},
        {"a failure", {.arguments = {"false"}}, ProcessEnd::exited, 1, 0, "", ""},
        {"both outputs", shell("echo out; echo err >&2; exit 7"), ProcessEnd::exited, 7, 0, "out\n", "err\n"},
        {"a signal of its own", shell("kill -USR1 $$"), ProcessEnd::signaled, -1, SIGUSR1, "", ""},
        {"input", {.arguments = {"cat"}, .input = "a\nb"}, ProcessEnd::exited, 0, 0, "a\nb", ""},
        {"input that is opened by name, as nft does",
         {.arguments = {"cat", "/dev/stdin"}, .input = "x"},
         ProcessEnd::exited,
         0,
         0,
         "x",
         ""},
        {"input that nobody reads",
         {.arguments = {"true"}, .input = std::string(1'000'000, 'x')},
         ProcessEnd::exited,
         0,
         0,
         "",
         ""},
        {"more than a pipe holds",
         {.arguments = {"cat"}, .input = std::string(1'000'000, 'x')},
         ProcessEnd::exited,
         0,
         0,
         std::string(1'000'000, 'x'),
         ""},
        {"arguments no shell has seen",
         {.arguments = {"printf", "%s|", "a b", "$HOME", "", "'\"*"}},
         ProcessEnd::exited,
         0,
         0,
         "a b|$HOME||'\"*|",
         ""},
        {"an environment",
         {.arguments = {"/usr/bin/env"}, .environment = {{"A=1", "B=2"}}},
         ProcessEnd::exited,
         0,
         0,
         "A=1\nB=2\n",
         ""},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto result = run(c.options);
        ASSERT_TRUE(result.has_value()) << result.error().message;
        EXPECT_EQ(result->end, c.end);
        EXPECT_EQ(result->exit_status, c.exit_status);
        EXPECT_EQ(result->signal, c.signal);
        EXPECT_EQ(result->out.text == c.out, true) << result->out.text.substr(0, 200);
        EXPECT_EQ(result->err.text, c.err);
        EXPECT_FALSE(result->out.cut || result->err.cut);
        EXPECT_EQ(result->ok(), c.end == ProcessEnd::exited && c.exit_status == 0);
    }
}

TEST(Process, OutputBeyondTheLimitIsDroppedAndMarked) {
    for (const std::size_t size : {999U, 1000U, 1001U, 3'000'000U}) {
        SCOPED_TRACE(size);
        const auto result = run({.arguments = {"cat"}, .input = std::string(size, 'x'), .output_limit = 1000});
        ASSERT_TRUE(result.has_value());
        EXPECT_EQ(result->out.text.size(), std::min<std::size_t>(size, 1000));
        EXPECT_EQ(result->out.cut, size > 1000);
        EXPECT_TRUE(result->ok());
        EXPECT_FALSE(result->err.cut);
    }
}

TEST(Process, WhatCannotBeStartedIsAnError) {
    struct Case {
        std::vector<std::string> arguments;
        const char* message;
    };
    const Case cases[] = {
        {{}, "no program is named"},
        {{"no-such-program-anywhere"}, "can't run no-such-program-anywhere: No such file or directory"},
        {{"/dev/null"}, "can't run /dev/null: Permission denied"},
    };
    for (const Case& c : cases) {
        const auto result = run({.arguments = c.arguments});
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().message, c.message);
    }
}

TEST(Process, AtItsDeadlineItIsAskedToEnd) {
    for (const char* script : {"sleep 1000", "exec yes"}) {  // silent, and talking without end
        SCOPED_TRACE(script);
        RealLoop loop;
        loop.run([](Loop& on, const char* what) -> Task<void> {
            Cancellation never;
            ProcessOptions options = shell(what);
            options.deadline = on.in(20ms);
            const auto result = co_await run_process(on, never, std::move(options));
            EXPECT_TRUE(result.has_value());
            if (!result) co_return;
            EXPECT_EQ(result->end, ProcessEnd::timed_out);
            EXPECT_EQ(result->signal, SIGTERM);
        }(*loop, script));
    }
}

TEST(Process, ItMayCleanUpWithinTheGraceAndIsKilledAfterIt) {
    struct Case {
        const char* name;
        const char* script;
        Duration grace;
        int exit_status;
        int signal;
        const char* out;
    };
    // Each says by SIGUSR1 when its trap is set.
    const Case cases[] = {
        {"cleans up", "trap 'echo bye; exit 3' TERM; kill -USR1 $PPID; sleep 1000 & wait", 1h, 3, 0, "bye\n"},
        {"would not go", "trap '' TERM; kill -USR1 $PPID; while :; do sleep 1000; done", 20ms, -1, SIGKILL, ""},
    };
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        RealLoop loop;
        loop.run([](Loop& on, const Case& expected) -> Task<void> {
            Cancellation never;
            const int ready[] = {SIGUSR1};
            SignalReader signals = *SignalReader::adopt(on, *block_signals(ready), never);
            Scope scope(on);
            scope.spawn([](Loop& l, Cancellation& cancellation, const Case& wanted) -> Task<void> {
                ProcessOptions options = shell(wanted.script);
                options.grace = wanted.grace;
                const auto result = co_await run_process(l, cancellation, std::move(options));
                EXPECT_TRUE(result.has_value());
                if (!result) co_return;
                EXPECT_EQ(result->end, ProcessEnd::cancelled);
                EXPECT_EQ(result->exit_status, wanted.exit_status);
                EXPECT_EQ(result->signal, wanted.signal);
                EXPECT_EQ(result->out.text, wanted.out);
            }(on, scope.cancellation(), expected));
            const auto told = co_await signals.next(Deadline::none);
            EXPECT_EQ(told, SIGUSR1);
            scope.cancel();
            co_await scope.join();
        }(*loop, c));
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Process, CancellationEndsItAndTheTaskEndsWithIt) {
    for (const bool beforehand : {false, true}) {
        SCOPED_TRACE(beforehand);
        RealLoop loop;
        loop.run([](Loop& on, bool at_once) -> Task<void> {
            Scope scope(on);
            if (at_once) scope.cancel();
            std::optional<Result<ProcessResult>> result;
            scope.spawn([](Loop& l, Cancellation& c, std::optional<Result<ProcessResult>>& into) -> Task<void> {
                into.emplace(co_await run_process(l, c, shell("sleep 1000")));
            }(on, scope.cancellation(), result));
            scope.cancel();
            co_await scope.join();
            EXPECT_TRUE(result && result->has_value());
            if (!result || !*result) co_return;
            EXPECT_EQ((*result)->end, ProcessEnd::cancelled);
            EXPECT_EQ((*result)->signal, SIGTERM);
        }(*loop, beforehand));
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
    }
}

TEST(Process, WhatItLeavesBehindIsNotWaitedFor) {
    // The background sleep holds both outputs open.
    const auto result = run(shell("sleep 1000 & echo $!"));
    ASSERT_TRUE(result.has_value());
    EXPECT_TRUE(result->ok());
    const pid_t left = std::stoi(result->out.text);
    EXPECT_EQ(::kill(left, SIGKILL), 0) << "it should have lived on";
}

TEST(Process, ItInheritsThreeDescriptorsAndNothingElse) {
    const Fd careless(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC, as a library may
    const auto result = run({.arguments = {"ls", "-l", "/proc/self/fd"}});
    ASSERT_TRUE(result.has_value());
    EXPECT_THAT(result->out.text, HasSubstr(" 2 -> pipe:"));
    EXPECT_THAT(result->out.text, HasSubstr(" 3 -> /proc/"));  // ls's own, of the folder that it lists
    EXPECT_THAT(result->out.text, ::testing::Not(HasSubstr(" 4 -> ")));
}

TEST(Process, SignalsThatAreBlockedHereAreNotBlockedThere) {
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    const int blocked[] = {SIGTERM};
    const Fd fd = *block_signals(blocked);
    const auto result = run(shell("kill -TERM $$; echo still here"));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result->signal, SIGTERM);
    EXPECT_EQ(result->out.text, "");
}
