// Capturing from an interface by libpcap, in immediate mode: otherwise the last packets stay in the kernel's ring.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "diagnose/analysis.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::diagnose {

struct LiveOptions {
    std::string interface;  // "any": all of them
    std::optional<IpAddress> client;  // its packets alone
    Duration duration{};  // at most; 0: until a signal
    std::uint64_t packets = 0;  // at most; 0: no limit
    std::string ssh_connection;  // as sshd sets SSH_CONNECTION: this session is left out
    std::string ring_file;  // what is captured goes there as well; empty: nowhere
    std::uint64_t ring_size = 0;  // bytes of the ring file and the one before it
};

struct LiveError {
    std::string message;
    bool not_permitted = false;
};

/// Seconds since the start and packets so far, a few times a second.
using LiveProgress = std::function<void(double, std::uint64_t)>;

/// Captures until a limit, or SIGINT or SIGTERM. Blocks both signals in this thread from then on.
Result<void, LiveError> capture_live(const LiveOptions& options, Analysis& analysis, const LiveProgress& progress);

/// The filter in the language of pcap-filter(7). Empty: everything.
std::string filter_of(const LiveOptions& options);

}  // namespace sallyport::diagnose
