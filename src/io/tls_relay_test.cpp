// The relay with TLS on either leg, and with a transport that fails at any step.
#include "io/relay_testing.hpp"
#include "io/tls.hpp"
#include "io/tls_testing.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>

using namespace sallyport;
using namespace sallyport::io;
using namespace sallyport::io::testing;

namespace {

// With TLS on either leg.
struct Bench : io::testing::RelayBench {
    using RelayBench::RelayBench;

    // `version` is that of the client's leg.
    void put_tls(bool on_client, bool on_target, int version) {
        if (on_client) {
            client_of(version).attach(outer.near, {});
            outer.far.attach(tls_server().accept());
        }
        if (on_target) {
            static const auto ours = *TlsClient::create({.ca_pems = {}, .verify = false});
            inner.near.attach(ours->connect("a.example.com"));
            inner.far.attach(tls_server().accept());
        }
    }
};

Task<void> shakes_if_tls(Stream& stream, bool& made) {
    if (stream.is_tls()) made = made && (co_await handshake(stream, Deadline::none)).failure == TlsFailure::none;
}

Task<void> relays(Bench& bench, Ended& relayed) {
    bool made = true;
    co_await shakes_if_tls(bench.outer.far, made);
    co_await shakes_if_tls(bench.inner.near, made);
    if (made) relayed.end = co_await relay(bench.outer.far, bench.inner.near, {}, relayed);
    bench.outer.far.close();
    bench.inner.near.close();
}

// One side ends first, and the other answers only then: the answer must arrive and both ends be told.
Task<void> asks(Stream& stream, const std::string& question, const std::string& answer) {
    bool made = true;
    co_await shakes_if_tls(stream, made);
    EXPECT_TRUE(made);
    co_await writes_in_pieces(stream, question, question.size() + 1);
    co_await expects(stream, answer, Loop::buffer_size);
}
Task<void> answers(Stream& stream, const std::string& question, const std::string& answer) {
    bool made = true;
    co_await shakes_if_tls(stream, made);
    EXPECT_TRUE(made);
    co_await expects(stream, question, Loop::buffer_size);
    co_await writes_in_pieces(stream, answer, answer.size() + 1);
}

}  // namespace

TEST(TlsRelay, PassesOnAHalfCloseOfEitherSideWithTlsOnEitherLeg) {
    struct Transport {
        const char* name;
        SystemCalls calls;
        std::size_t size;
    };
    const Transport transports[] = {
        {"plain sockets", {}, 3'000'000},
        {"nothing to say", {}, 0},
        {"sends of one byte",
         with_send([](int fd, const void* from, size_t, int flags) { return ::send(fd, from, 1, flags); }), 5000},
    };
    for (const Transport& transport : transports) {
        for (unsigned combination = 0; combination < 16; ++combination) {
            const bool on_client = (combination & 1) != 0;
            const bool on_target = (combination & 2) != 0;
            const bool client_first = (combination & 4) != 0;
            const int version = tls_versions[combination >> 3];
            SCOPED_TRACE(std::string(transport.name) + (on_client ? ", client TLS" : "") +
                         (on_target ? ", target TLS" : "") + (client_first ? ", client" : ", target") +
                         " ends first, by " + std::to_string(version));
            VirtualLoop loop(transport.calls);
            Ended relayed;
            const std::string question = noise(transport.size);
            const std::string answer = noise(transport.size / 2);
            loop.run([](Loop& on, bool tls_client, bool tls_target, bool client_asks, int by, const std::string& first,
                        const std::string& second, Ended& into) -> Task<void> {
                Bench bench(on);
                bench.put_tls(tls_client, tls_target, by);
                Scope scope(on);
                scope.spawn(relays(bench, into));
                scope.spawn(asks(client_asks ? bench.client() : bench.target(), first, second));
                scope.spawn(answers(client_asks ? bench.target() : bench.client(), first, second));
                co_await scope.join();
            }(*loop, on_client, on_target, client_first, version, question, answer, relayed));
            EXPECT_EQ(relayed.end, RelayEnd::both_closed);
            EXPECT_EQ(relayed.to_target, client_first ? question.size() : answer.size());
            EXPECT_EQ(relayed.to_client, client_first ? answer.size() : question.size());
        }
    }
}

namespace {

// The n-th call of recv or of send, counted from 1 over all streams of a loop, is interrupted, or finds that the peer
// has reset: then, as on a TCP socket, the error is told once, and afterwards there is an end to read and no way to
// write.
struct Fault {
    int at = 0;
    int error = 0;
    int calls = 0;
    int broken_fd = -1;
    bool fired() const { return calls >= at; }
    bool now(int fd) {
        if (++calls != at) return false;
        if (error == ECONNRESET) broken_fd = fd;
        errno = error;
        return true;
    }
};
Fault fault;

ssize_t faulty_recv(int fd, void* into, size_t size, int flags, bool counted) {
    if (fd == fault.broken_fd) return 0;
    return counted && fault.now(fd) ? -1 : ::recv(fd, into, size, flags);
}
ssize_t faulty_send(int fd, const void* from, size_t size, int flags, bool counted) {
    if (fd == fault.broken_fd) errno = EPIPE;
    return fd == fault.broken_fd || (counted && fault.now(fd)) ? -1 : ::send(fd, from, size, flags);
}
SystemCalls failing_recv() {
    SystemCalls calls;
    calls.recv = [](int fd, void* into, size_t size, int flags) { return faulty_recv(fd, into, size, flags, true); };
    calls.send = [](int fd, const void* from, size_t size, int flags) {
        return faulty_send(fd, from, size, flags, false);
    };
    return calls;
}
SystemCalls failing_send() {
    SystemCalls calls;
    calls.recv = [](int fd, void* into, size_t size, int flags) { return faulty_recv(fd, into, size, flags, false); };
    calls.send = [](int fd, const void* from, size_t size, int flags) {
        return faulty_send(fd, from, size, flags, true);
    };
    return calls;
}

// One end of a relayed connection, which gives up at the first failure. True in `whole`: all was as it should be.
Task<void> tries(Stream& stream, const std::string& what, bool asks_first, bool& whole) {
    bool made = true;
    co_await shakes_if_tls(stream, made);
    Io end = Io::eof;
    std::string got;
    if (made && !asks_first) got = co_await reads_to_end(stream, Loop::buffer_size, end);
    if (made && end == Io::eof) {
        const Wait written = co_await stream.write_all(what, Deadline::none);
        made = written == Wait::ready;
        if (made) stream.shutdown_write();
    }
    if (made && asks_first) got = co_await reads_to_end(stream, Loop::buffer_size, end);
    whole = made && end == Io::eof && got == what;
    stream.close();
}

struct Story {
    Ended relayed{.end = RelayEnd::cancelled};
    bool client_whole = false;
    bool target_whole = false;
    bool hit_relay = false;  // the fault was one of the relay's own streams'
};

// The whole story with that fault in it.
Story story(SystemCalls calls, bool tls, int version, const std::string& what) {
    VirtualLoop loop(calls);
    Story told;
    loop.run([](Loop& on, bool with_tls, int by, const std::string& said, Story& into) -> Task<void> {
        Bench bench(on);
        bench.put_tls(with_tls, with_tls, by);
        const int relays_own[] = {bench.outer.far.fd(), bench.inner.near.fd()};
        Scope scope(on);
        scope.spawn(relays(bench, into.relayed));
        scope.spawn(tries(bench.client(), said, true, into.client_whole));
        scope.spawn(tries(bench.target(), said, false, into.target_whole));
        co_await scope.join();
        into.hit_relay = std::ranges::find(relays_own, fault.broken_fd) != std::end(relays_own);
    }(*loop, tls, version, what, told));
    return told;
}

}  // namespace

TEST(TlsRelay, AFailureAtAnyStepIsNoticedAndLeavesNothingBehind) {
    const std::string what = noise(400'000);
    for (unsigned combination = 0; combination < 8; ++combination) {
        const bool tls = (combination & 1) != 0;
        const bool of_recv = (combination & 2) != 0;
        const int version = tls_versions[combination >> 2];
        const SystemCalls calls = of_recv ? failing_recv() : failing_send();
        for (const int error : {ECONNRESET, EINTR}) {
            int at = 1;
            for (; at < 1000; ++at) {
                SCOPED_TRACE(std::string(of_recv ? "recv " : "send ") + std::to_string(at) +
                             (tls ? " over TLS " : " ") + std::to_string(version) + ", error " + std::to_string(error));
                fault = {.at = at, .error = error};
                const Story told = story(calls, tls, version, what);
                if (error == EINTR || !fault.fired()) {
                    EXPECT_EQ(told.relayed.end, RelayEnd::both_closed);
                    EXPECT_TRUE(told.client_whole && told.target_whole);
                }
                // A connection that broke is never taken for one that ended, unless all had been said.
                if (told.hit_relay && told.relayed.end == RelayEnd::both_closed) {
                    EXPECT_EQ(told.relayed.to_target, what.size());
                    EXPECT_EQ(told.relayed.to_client, what.size());
                }
                if (!fault.fired()) break;
            }
            EXPECT_GT(at, 5);
            EXPECT_LT(at, 1000);
        }
    }
}
