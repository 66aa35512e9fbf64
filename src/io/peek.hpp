// Looking at the first bytes of a connection without taking them: whoever it is handed to sees them again.
#pragma once

#include "io/stream.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <cstdint>

namespace sallyport::io {

enum class Peeked : std::uint8_t {
    enough,   // the reader said so
    silent,   // it ended before its first byte
    ended,    // the peer will send no more, and it was not enough
    too_much, // `most` bytes are there and the reader still wants more
    late,
    cancelled,
};

/// Shows `enough` what is there, again each time that more has come, until it answers true.
/// @param most    bytes to look at; what the loop's buffer holds at the most.
/// @param enough  bool(Bytes): called with one byte at least; may keep what it read, not the bytes.
template <class Enough>
Task<Peeked> peek_until(Stream& client, std::size_t most, Deadline deadline, Enough enough) {
    bool came = false;
    for (;;) {
        const Got got = client.peek(client.loop().buffer().first(most));
        if (got.io == Io::ok) {
            came = true;
            if (enough(Bytes(client.loop().buffer()).first(got.bytes))) {
                client.watched().readable = true;  // for whoever goes on: no edge will tell of what is there
                co_return Peeked::enough;
            }
            if (got.bytes == most) co_return Peeked::too_much;
        } else if (got.io != Io::again) {
            co_return came ? Peeked::ended : Peeked::silent;
        }
        if (client.watched().hung_up) co_return came ? Peeked::ended : Peeked::silent;
        client.watched().readable = false;  // what is there stays there: the next edge tells of more
        const Wait waited = co_await client.readable(deadline);
        if (waited == Wait::timeout) co_return Peeked::late;
        if (waited == Wait::cancelled) co_return Peeked::cancelled;
    }
}

}  // namespace sallyport::io
