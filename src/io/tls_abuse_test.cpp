// Peers that wear TLS out: old versions, renegotiation, floods of messages that carry no data.
#include "io/tls.hpp"
#include "io/tls_testing.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::io;
using namespace std::chrono_literals;
using namespace sallyport::io::testing;

namespace {

// Puts `count` KeyUpdates on their way, each of which asks for an answer or not.
Task<void> updates_keys(Stream& stream, SSL* ssl, int count, int kind) {
    for (int sent = 0; sent < count; ++sent) {
        EXPECT_EQ(SSL_key_update(ssl, kind), 1);
        const Handshake made = co_await handshake(stream, Deadline::none);  // sends what is due
        EXPECT_EQ(made.failure, TlsFailure::none) << made.detail;
    }
}

}  // namespace

TEST(TlsAbuse, AClientOfAnOldVersionIsRefused) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        SCOPED_TRACE(version);
        const PeerContext old({.version = version});
        VirtualLoop loop;
        loop.run([](Loop& on, const PeerContext& by) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            by.attach(pair.near, {});
            pair.far.attach(tls_server().accept());
            const auto [mine, theirs] = co_await shake_hands(pair);
            EXPECT_EQ(theirs.failure, TlsFailure::protocol);
            EXPECT_EQ(theirs.detail, "unsupported protocol");
            EXPECT_EQ(mine.failure, TlsFailure::protocol);
            EXPECT_EQ(mine.detail, "tlsv1 alert protocol version");
        }(*loop, old));
    }
}

TEST(TlsAbuse, RenegotiationIsRefused) {
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        SSL* client = client_of(TLS1_2_VERSION).attach(pair.near, {});
        pair.far.attach(tls_server().accept());
        co_await shake_hands(pair);
        SSL_clear_options(client, SSL_OP_NO_RENEGOTIATION);
        EXPECT_EQ(SSL_renegotiate(client), 1);
        Scope scope(on);
        Handshake again;
        scope.spawn(shake_hand(pair.near, Deadline::none, again));
        const Got got = co_await pair.far.read_some(on.buffer(), on.in(1s));
        co_await scope.join();
        EXPECT_EQ(again.failure, TlsFailure::protocol);
        EXPECT_EQ(again.detail, "no renegotiation");
        // OpenSSL's client takes the refusal for an end. Ours is as clean.
        EXPECT_NE(got.io, Io::ok);
    }(*loop));
}

TEST(TlsAbuse, SomeKeyUpdatesAreFollowed) {
    for (const int kind : {SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_NOT_REQUESTED}) {
        VirtualLoop loop;
        loop.run([](Loop& on, int by) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            SSL* client = client_of(TLS1_3_VERSION).attach(pair.near, {});
            pair.far.attach(tls_server().accept());
            co_await shake_hands(pair);
            for (int round = 0; round < 20; ++round) {
                co_await updates_keys(pair.near, client, 4, by);
                EXPECT_EQ(pair.near.write(as_bytes("question")), Io::ok);
                const Got asked = co_await pair.far.read_some(on.buffer(), on.in(1s));
                EXPECT_EQ(asked.bytes, 8U);
                EXPECT_EQ(pair.far.write(as_bytes("answer")), Io::ok);
                const Got answered = co_await pair.near.read_some(on.buffer(), on.in(1s));
                EXPECT_EQ(answered.bytes, 6U);
            }
        }(*loop, kind));
    }
}

TEST(TlsAbuse, AFloodOfKeyUpdatesEndsTheConnection) {
    struct Case {
        const char* name;
        int kind;
        bool data;  // between them, so that each read brings some
        bool full;  // our answers find no room
    };
    const Case cases[] = {
        {"without an answer", SSL_KEY_UPDATE_NOT_REQUESTED, false, false},
        {"with answers", SSL_KEY_UPDATE_REQUESTED, false, false},
        {"with data between", SSL_KEY_UPDATE_REQUESTED, true, false},
        {"one at a time, with answers that nobody takes", SSL_KEY_UPDATE_REQUESTED, true, true},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        VirtualLoop loop;
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            SSL* client = client_of(TLS1_3_VERSION).attach(pair.near, {});
            pair.far.attach(tls_server().accept());
            co_await shake_hands(pair);
            if (how.full) {
                while (!pair.far.blocked()) pair.far.write(as_bytes(std::string(100'000, 'x')));
            }
            const std::size_t unsent = pair.far.unsent();
            Got got{Io::again};
            for (int round = 0; round < 100 && got.io != Io::failed; ++round) {
                // All at once, or one for each read.
                for (int sent = 0; sent < (how.full ? 1 : 100); ++sent) {
                    co_await updates_keys(pair.near, client, 1, how.kind);
                    if (how.data) { EXPECT_EQ(pair.near.write(as_bytes("x")), Io::ok); }
                }
                got = pair.far.read(on.buffer());
            }
            EXPECT_EQ(got.io, Io::failed);
            EXPECT_LT(pair.far.unsent() - unsent, 2000U);
            EXPECT_LT(pair.near.raw_read(on.buffer()).bytes, how.full ? on.buffer_size + 1 : 2000U) << "answers";
            const Got again = pair.far.read(on.buffer());
            EXPECT_EQ(again.io, Io::failed) << "and stays so";
        }(*loop, c));
    }
}

// However much has come: one call takes two buffers of it, and the next one goes on.
TEST(TlsAbuse, AReadTakesABoundedPartOfManySmallRecords) {
    for (const int version : tls_versions) {
        SCOPED_TRACE(version);
        static std::size_t received;
        const SystemCalls calls = with_recv([](int fd, void* into, size_t size, int flags) {
            const ssize_t count = ::recv(fd, into, size, flags);
            received += count > 0 ? static_cast<std::size_t>(count) : 0;
            return count;
        });
        VirtualLoop loop(calls);
        loop.run([](Loop& on, int by) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            const int large = 4'000'000;
            setsockopt(pair.near.fd(), SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large);
            client_of(by).attach(pair.near, {});
            pair.far.attach(tls_server().accept());
            co_await shake_hands(pair);
            const std::size_t count = 100'000;
            for (std::size_t sent = 0; sent < count; ++sent) pair.near.write(as_bytes("x"));
            std::size_t got_in_all = 0;
            while (got_in_all < count) {
                received = 0;
                const Got got = co_await pair.far.read_some(on.buffer(), on.in(1s));
                EXPECT_EQ(got.io, Io::ok);
                if (got.io != Io::ok) break;
                EXPECT_LE(received, 3 * Loop::tls_size);
                got_in_all += got.bytes;
                pair.near.flush();
            }
            EXPECT_EQ(got_in_all, count);
        }(*loop, version));
    }
}

TEST(TlsAbuse, WhatAClientBeganWithIsKept) {
    struct Case {
        std::string sent;
        std::size_t piece;
        std::string kept;
    };
    const std::string proxy = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
    const Case cases[] = {
        {proxy, 100, proxy.substr(0, 16)}, {proxy, 3, proxy.substr(0, 6)}, {"", 1, ""}, {"GET", 1, "GET"}};
    for (const Case& c : cases) {
        SCOPED_TRACE(c.kept);
        VirtualLoop loop;
        loop.run([](Loop& on, const Case& how) -> Task<void> {
            Cancellation cancellation;
            StreamPair pair(on, cancellation);
            pair.far.attach(tls_server().accept());
            Scope scope(on);
            scope.spawn([](Stream& stream, const Case& what) -> Task<void> {
                for (std::size_t at = 0; at < what.sent.size(); at += what.piece) {
                    stream.write(as_bytes(what.sent.substr(at, what.piece)));
                    co_await Yield{stream.loop()};
                    co_await Yield{stream.loop()};
                }
            }(pair.near, how));
            const Handshake made = co_await handshake(pair.far, on.in(1s));
            co_await scope.join();
            EXPECT_NE(made.failure, TlsFailure::none);
            EXPECT_EQ(as_text(pair.far.tls()->first_bytes()), how.kept);
        }(*loop, c));
    }
    VirtualLoop loop;
    loop.run([](Loop& on) -> Task<void> {
        Cancellation cancellation;
        StreamPair pair(on, cancellation);
        client_of(TLS1_3_VERSION).attach(pair.near, {});
        pair.far.attach(tls_server().accept());
        co_await shake_hands(pair);
        EXPECT_EQ(as_text(pair.far.tls()->first_bytes()).substr(0, 2), "\x16\x03");
        EXPECT_EQ(pair.far.tls()->first_bytes().size(), TlsSession::most_first_bytes);
        EXPECT_TRUE(pair.near.tls()->first_bytes().empty()) << "kept of clients only";
    }(*loop));
}
