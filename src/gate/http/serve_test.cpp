// What a reload may do to a request that waits for the disk.
#include "gate/testing.hpp"
#include "io/worker.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <semaphore>
#include <string>

using namespace sallyport;
using namespace sallyport::gate;
using gate::testing::snapshot_of;
using gate::testing::TestGate;

namespace {

std::string services(std::initializer_list<const char*> names) {
    std::string text = "[listen]\nacme_challenges = \"/nowhere\"\n";
    for (const char* name : names) {
        text += "[[service]]\nname = \"" + std::string(name) +
                "\"\nprotocol = \"http\"\ntarget = [\"10.0.0.1\"]\nplain_port = 80\n";
    }
    return text;
}

io::Task<void> keeps_busy(io::Worker& files, io::Loop& loop, io::Cancellation& cancellation,
                          std::binary_semaphore& go_on) {
    const auto done = co_await files.run(loop, cancellation, [&go_on] {
        go_on.acquire();
        return true;
    });
    EXPECT_TRUE(done);
}

}  // namespace

TEST(HttpServe, DecidesByWhatHoldsOnceTheDiskHasAnswered) {
    TestGate at;
    io::Worker files(4);
    at.shared.files = &files;
    at.gate.adopt(snapshot_of(at.book, services({"a.example.com", "b.example.com"})));
    at.run([](TestGate& in, io::Worker& disk) -> io::Task<void> {
        io::Scope scope(*in.loop);
        std::binary_semaphore go_on(0);
        scope.spawn(keeps_busy(disk, *in.loop, scope.cancellation(), go_on));
        auto [near, far] = io::testing::socket_pair();
        const std::string request =
            "GET /.well-known/acme-challenge/none HTTP/1.1\r\nHost: b.example.com\r\nConnection: close\r\n\r\n";
        EXPECT_EQ(::send(far.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
        in.gate.take(in.listener, {.fd = std::move(near), .peer = *SocketAddress::parse("192.0.2.1:4000")});
        for (int turn = 0; turn < 10; ++turn) co_await io::Yield{*in.loop};  // it is read, and the disk is asked
        in.gate.adopt(snapshot_of(in.book, services({"a.example.com"})));
        go_on.release();
        const auto refused = [&in] {
            return in.ended(telemetry::Protocol::http, telemetry::Verdict::refused, telemetry::Reason::service_unknown);
        };
        while (refused() == 0 && in.targets.dialed.empty()) co_await io::Yield{*in.loop};
        EXPECT_EQ(refused(), 1U);
        far = io::Fd();
        co_await scope.join();
    }(at, files));
    EXPECT_TRUE(at.targets.dialed.empty());
}
