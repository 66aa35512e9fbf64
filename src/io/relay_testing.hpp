// For tests of this room: a relay with what is at both of its ends.
#pragma once

#include "io/relay.hpp"
#include "io/testing.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::io::testing {

struct Ended : Relayed {
    RelayEnd end = RelayEnd::both_closed;
};

/// A client and a target with the relay between them: client <-> outer | inner <-> target.
struct RelayBench {
    Cancellation cancellation;
    StreamPair outer;
    StreamPair inner;

    explicit RelayBench(Loop& loop) : outer(loop, cancellation), inner(loop, cancellation) {}
    Stream& client() { return outer.near; }
    Stream& target() { return inner.far; }
};

inline Task<void> relays(RelayBench& bench, RelayLimits limits, Ended& relayed, RelayWatch* watch = nullptr) {
    relayed.end = co_await relay(bench.outer.far, bench.inner.near, limits, relayed, watch);
    bench.outer.far.close();
    bench.inner.near.close();
}

inline Task<void> sends_all_then_ends(Stream& stream, const std::string& what) {
    const Wait waited = co_await stream.write_all(what, Deadline::none);
    EXPECT_EQ(waited, Wait::ready);
    stream.shutdown_write();
}

}  // namespace sallyport::io::testing
