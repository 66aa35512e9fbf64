// What one run of bench_load is asked to do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "base/result.hpp"

namespace sallyport::bench {

enum class Mode {
    http,         // GETs and small answers
    brief,        // "short": connect, one exchange, close
    ping,         // one small message each way over kept connections
    paced,        // ping at a given rate, whatever the answers do: latencies
    fair,         // the same beside streams
    bulk,         // the backend streams, the client throws away
    idle,         // open, prove each alive, hold, prove again
    half_close,   // the client finishes first, the answer still comes whole
    slow_reader,  // the client stops reading; the relay must stop as well
    reset,        // a reset on one side reaches the other
};

enum class Carrier {
    http,    // a request each, or a streamed answer
    tunnel,  // raw bytes after a 101
    raw,     // raw bytes from the first on
    sni,     // raw bytes after a ClientHello and its answer, which pass the relay unopened
    ldap,    // a bind, then searches
    sip,     // pings by OPTIONS
};

struct Options {
    Mode mode = Mode::http;
    Carrier carrier = Carrier::http;
    SocketAddress target;   // the relay's listener
    SocketAddress backend;  // where the relay finds this process
    std::string host = "bench.example";
    std::string path = "/apps/item";
    unsigned connections = 64;
    std::uint64_t size = 100;     // bytes of a message or body
    unsigned entries = 1;         // ldap: of an answer, each with a value of `size` bytes
    unsigned streams = 16;        // fair: how many pour
    double rate = 0;              // paced, fair: operations a second
    std::uint64_t ops = 0;        // end the window after so many; 0: by time
    double seconds = 0.5;         // the window
    double warmup = 0.1;          // seconds of the same work before it, not counted
    unsigned send_buffer =
        0;     // bytes that each connection of the backend may have under way; 0: as the kernel sees fit
    double patience = 3;          // seconds until what does not come counts as lost
    bool close = false;           // http: a connection a request
    bool forwarded_for = false;   // every request at the backend must carry X-Forwarded-For
    bool tls = false;             // the client side is TLS
    bool resume = false;          // TLS sessions are resumed
    bool step = false;            // says each phase on stdout, goes on at a line on stdin
    int cpu = -1;                 // pin to this core
    std::vector<pid_t> watch;     // the relay's processes, whose CPU time is taken at the window's ends
};

/// "name=value" words on the command line; see usage().
Result<Options> parse_options(int count, char** words);

std::string usage();

}  // namespace sallyport::bench
