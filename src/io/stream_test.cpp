// What a stream keeps of what its socket does not take.
#include "io/stream.hpp"

#include "io/testing.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <vector>

namespace sallyport::io {
namespace {

using testing::StreamPair;
using testing::VirtualLoop;

std::size_t room = 0;  // bytes that the socket takes before it is full

ssize_t takes_what_there_is_room_for(int, const void*, size_t size, int) {
    const std::size_t taken = std::min(size, room);
    room -= taken;
    if (taken != 0) return static_cast<ssize_t>(taken);
    errno = EAGAIN;
    return -1;
}

std::size_t resident_bytes() {
    std::size_t all = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> all >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// A slow client of TURN, to whom more comes than its link carries, for as long as the call lasts.
TEST(Stream, KeepsWhatIsUnsentAndNoMoreHoweverLongItIsFull) {
    constexpr std::size_t piece = std::size_t{64} * 1024;
    constexpr std::size_t pieces = 1024;
    SystemCalls calls;
    calls.send = takes_what_there_is_room_for;
    VirtualLoop loop(calls);
    Cancellation cancellation;
    StreamPair pair(*loop, cancellation);
    const std::vector<std::byte> bytes(piece);
    room = 0;
    pair.near.write(bytes);
    pair.near.write(bytes);
    const std::size_t before = resident_bytes();
    for (std::size_t i = 0; i < pieces; ++i) {
        room = piece;
        EXPECT_EQ(pair.near.flush(), Io::again);
        EXPECT_EQ(pair.near.write(bytes), Io::ok);
        EXPECT_EQ(pair.near.unsent(), 2 * piece);
    }
    EXPECT_LT(resident_bytes(), before + pieces * piece / 2);
}

}  // namespace
}  // namespace sallyport::io
