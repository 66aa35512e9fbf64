// TLS as a stream: what is carried, how it begins and how it ends.
#include "io/tls.hpp"
#include "io/tls_testing.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using namespace sallyport::io::testing;

namespace {

// A wire between two streams that carries at most `most` bytes a turn, in both directions, until both have ended.
Task<void> carries_one_way(Stream& from, Stream& to, std::size_t most) {
    std::vector<std::byte> room(most);
    for (;;) {
        const Got got = co_await from.read_some(room, Deadline::none);
        if (got.io != Io::ok) break;
        const Wait waited = co_await to.write_all(std::string(as_text(Bytes(room).first(got.bytes))), Deadline::none);
        if (waited != Wait::ready) break;
        co_await Yield{from.loop()};
    }
    to.shutdown_write();
}
Task<void> carries(StreamPair& left, StreamPair& right, std::size_t most) {
    Scope scope(left.far.loop());
    scope.spawn(carries_one_way(left.far, right.near, most));
    scope.spawn(carries_one_way(right.near, left.far, most));
    co_await scope.join();
}

// One side: handshake, then it talks and listens at once, and ends.
Task<void> talks(Stream& stream, const std::string& what, std::size_t piece, std::size_t most) {
    const Handshake made = co_await handshake(stream, Deadline::none);
    EXPECT_EQ(made.failure, TlsFailure::none) << made.detail;
    Scope scope(stream.loop());
    scope.spawn(writes_in_pieces(stream, what, piece));
    scope.spawn(expects(stream, what, most));
    co_await scope.join();
}
Task<void> converses(Stream& client, Stream& far, const std::string& what, std::size_t piece, std::size_t most) {
    Scope scope(client.loop());
    scope.spawn(talks(client, what, piece, most));
    scope.spawn(talks(far, what, piece, most));
    co_await scope.join();
}

}  // namespace

TEST(TlsStream, CarriesBothWaysWhateverTheSizes) {
    struct Case {
        const char* name;
        SystemCalls calls;
        std::size_t size;   // bytes each way
        std::size_t piece;  // bytes a write
        std::size_t most;   // bytes a read
    };
    const Case cases[] = {
        {"nothing", {}, 0, 1, 1},
        {"byte by byte", {}, 3000, 1, 1},
        {"read byte by byte", {}, 100'000, 100'000, 1},
        {"written byte by byte", {}, 3000, 1, 16 * 1024},
        {"record by record", {}, 1'000'000, 16 * 1024, 16 * 1024},
        {"one more than a record", {}, 1'000'000, 16 * 1024 + 1, 16 * 1024 + 1},
        {"10 MB at once", {}, 10'000'000, 10'000'000, Loop::buffer_size},
        {"3 MB in small reads", {}, 3'000'000, 3'000'000, 16 * 1024},
        {"sends of one byte",
         with_send([](int fd, const void* from, size_t, int flags) { return ::send(fd, from, 1, flags); }), 20'000,
         20'000, 16 * 1024},
        {"every other read is interrupted", with_recv([](int fd, void* into, size_t size, int flags) -> ssize_t {
             static int count = 0;
             if (++count % 2 == 0) {
                 errno = EINTR;
                 return -1;
             }
             return ::recv(fd, into, size, flags);
         }),
         1'000'000, 100'000, Loop::buffer_size},
        {"every other send is interrupted", with_send([](int fd, const void* from, size_t size, int flags) -> ssize_t {
             static int count = 0;
             if (++count % 2 == 0) {
                 errno = EINTR;
                 return -1;
             }
             return ::send(fd, from, size, flags);
         }),
         1'000'000, 100'000, Loop::buffer_size},
    };
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(version));
            VirtualLoop loop(c.calls);
            loop.run([](Loop& on, int by, const Case& how) -> Task<void> {
                Cancellation cancellation;
                StreamPair pair(on, cancellation);
                client_of(by).attach(pair.near, {});
                pair.far.attach(tls_server().accept());
                co_await converses(pair.near, pair.far, noise(how.size), how.piece, how.most);
            }(*loop, version, c));
        }
    }
}

// A record in pieces must make its reader wait, not spin: the rest comes only when the others have had their turn.
TEST(TlsStream, CarriesBothWaysThroughAWireThatDrips) {
    for (const int version : tls_versions) {
        for (const std::size_t drop : {1U, 5U, 1000U}) {
            SCOPED_TRACE(std::to_string(drop) + " bytes at a time by " + std::to_string(version));
            VirtualLoop loop;
            loop.run([](Loop& on, int by, std::size_t most) -> Task<void> {
                Cancellation cancellation;
                StreamPair left(on, cancellation);
                StreamPair right(on, cancellation);
                client_of(by).attach(left.near, {});
                right.far.attach(tls_server().accept());
                Scope scope(on);
                scope.spawn(carries(left, right, most));
                co_await converses(left.near, right.far, noise(std::min<std::size_t>(most * 10'000, 200'000)), 100'000,
                                   Loop::buffer_size);
                co_await scope.join();
            }(*loop, version, drop));
        }
    }
}

TEST(TlsStream, TheEndOfTheStreamIsToldHoweverItCame) {
    struct Case {
        const char* name;
        void (*ends)(Stream&);
        Io end;
    };
    const Case cases[] = {
        {"close_notify and FIN", [](Stream& stream) { stream.shutdown_write(); }, Io::eof},
        {"FIN alone, as many HTTP clients do", [](Stream& stream) { ::shutdown(stream.fd(), SHUT_WR); }, Io::eof},
        {"FIN in the midst of a record",
         [](Stream& stream) {
             stream.raw_write(as_bytes(std::string_view("\x17\x03\x03\x01\x00half", 9)));
             ::shutdown(stream.fd(), SHUT_WR);
         },
         Io::eof},
        {"a forged record",
         [](Stream& stream) {
             stream.raw_write(
                 as_bytes(std::string_view("\x17\x03\x03\x00\x20"
                                           "0123456789abcdef0123456789abcdef",
                                           37)));
         },
         Io::failed},
        {"a record that is too long",
         [](Stream& stream) { stream.raw_write(as_bytes(std::string_view("\x17\x03\x03\xff\xff", 5))); }, Io::failed},
    };
    for (const int version : tls_versions) {
        for (const Case& c : cases) {
            SCOPED_TRACE(std::string(c.name) + " by " + std::to_string(version));
            VirtualLoop loop;
            loop.run([](Loop& on, int by, const Case& how) -> Task<void> {
                Cancellation cancellation;
                StreamPair pair(on, cancellation);
                client_of(by).attach(pair.near, {});
                pair.far.attach(tls_server().accept());
                co_await shake_hands(pair);
                EXPECT_EQ(pair.near.write(as_bytes("data")), Io::ok);
                how.ends(pair.near);
                Io end = Io::ok;
                const std::string got = co_await reads_to_end(pair.far, 100, end);
                EXPECT_EQ(got, "data");
                EXPECT_EQ(end, how.end);
                const Got again = co_await pair.far.read_some(on.buffer(), on.in(1s));
                EXPECT_EQ(again.io, how.end) << "told again to who asks again";
            }(*loop, version, c));
        }
    }
}

TEST(TlsStream, APeerThatEndedWithoutCloseNotifyCanStillBeAnswered) {
    for (const int version : tls_versions) {
        SCOPED_TRACE(version);
        VirtualLoop loop;
        loop.run([](Loop& on, int by) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            client_of(by).attach(pair.near, {});
            pair.far.attach(tls_server().accept());
            co_await shake_hands(pair);
            EXPECT_EQ(pair.near.write(as_bytes("question")), Io::ok);
            ::shutdown(pair.near.fd(), SHUT_WR);
            co_await expects(pair.far, "question", 100);
            co_await writes_in_pieces(pair.far, "answer", 100);
            co_await expects(pair.near, "answer", 100);
        }(*loop, version));
    }
}

TEST(TlsStream, CloseNotifyThatFindsNoRoomIsFollowedByTheEndOfTheSocket) {
    const SystemCalls calls =
        with_send([](int fd, const void* from, size_t, int flags) { return ::send(fd, from, 1, flags); });
    VirtualLoop loop(calls);
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        client_of(TLS1_3_VERSION).attach(pair.near, {});
        pair.far.attach(tls_server().accept());
        const std::string nothing;
        co_await converses(pair.near, pair.far, nothing, 1, 100);
        for (Stream* stream : {&pair.near, &pair.far}) {
            const Got got = stream->raw_read(on.buffer());
            EXPECT_EQ(got.io, Io::eof);
        }
    }(*loop));
}

TEST(TlsStream, AHandshakeThatFailsSaysWhy) {
    struct Case {
        const char* name;
        std::string sent;
        bool ends;
        TlsFailure failure;
    };
    const std::string_view hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
    const Case cases[] = {
        {"silence", "", false, TlsFailure::timeout},
        {"half a ClientHello and silence", std::string(hello), false, TlsFailure::timeout},
        {"closed at once", "", true, TlsFailure::closed},
        {"closed in the midst of ClientHello", std::string(hello), true, TlsFailure::closed},
        {"closed in the midst of a record's head", "\x16\x03", true, TlsFailure::closed},
        {"plain HTTP", "GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n", false, TlsFailure::plain_http},
        {"plain HTTP and closed", "POST / HTTP/1.1\r\nHost: a.example.com\r\n\r\n", true, TlsFailure::plain_http},
        {"a proxy request", "CONNECT a.example.com:443 HTTP/1.1\r\n\r\n", false, TlsFailure::plain_http},
        {"SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", false, TlsFailure::protocol},
        {"zeros", std::string(100, '\0'), false, TlsFailure::protocol},
        {"an alert", std::string("\x15\x03\x01\x00\x02\x02\x28", 7), false, TlsFailure::protocol},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        VirtualLoop loop;
        const SteadyTime before = loop->now();
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            pair.far.attach(tls_server().accept());
            EXPECT_EQ(pair.near.write(as_bytes(how.sent)), Io::ok);
            if (how.ends) pair.near.shutdown_write();
            const Handshake made = co_await handshake(pair.far, on.in(10s));
            EXPECT_EQ(made.failure, how.failure) << made.detail;
        }(*loop, c));
        EXPECT_EQ(loop->now() - before >= 10s, c.failure == TlsFailure::timeout);
    }
}

TEST(TlsStream, CancellationEndsAHandshake) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        pair.far.attach(tls_server().accept());
        Scope scope(on);
        Handshake made;
        scope.spawn([](Stream& stream, Handshake& into) -> Task<void> {
            into = co_await handshake(stream, Deadline::none);
        }(pair.far, made));
        cancellation.request();
        co_await scope.join();
        EXPECT_EQ(made.failure, TlsFailure::cancelled);
    }(*loop));
}

TEST(TlsStream, AHandshakeOutlivesTheServerThatIsReplacedMeanwhile) {
    for (const int version : tls_versions) {
        SCOPED_TRACE(version);
        VirtualLoop loop;
        loop.run([](Loop& on, int by) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            auto replaced = make_tls_server();
            client_of(by).attach(pair.near, {.name = "a.example.com"});
            pair.far.attach(replaced->accept());
            replaced.reset();  // a new certificate has come
            const auto [mine, theirs] = co_await shake_hands(pair);
            EXPECT_EQ(mine.failure, TlsFailure::none) << mine.detail;
            EXPECT_EQ(theirs.failure, TlsFailure::none) << theirs.detail;
        }(*loop, version));
    }
}
