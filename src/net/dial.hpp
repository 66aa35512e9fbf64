// Connecting to a target by name: its addresses are raced, so that a dead address or a broken IPv6 path costs a
// quarter of a second and not a time-out ("Happy Eyeballs", RFC 8305).
#pragma once

#include "base/address.hpp"
#include "egress/sources.hpp"
#include "io/sockets.hpp"

#include <chrono>
#include <expected>
#include <optional>
#include <vector>

namespace sallyport::net {

/// What one name stands for. The addresses are tried in this order, families taking turns (RFC 8305 section 4).
struct DialPlan {
    std::vector<SocketAddress> addresses;
    /// The local address to dial from; none: the kernel's choice. Addresses of the other family are then left out: they
    /// can't be reached from it, and dialing them from another address would break the promise.
    std::optional<IpAddress> source{};
    /// Without `source`: what to dial from in each family. Where only one has one, addresses of the other are left out
    /// too, unless there are no others: then the kernel chooses.
    egress::Sources sources{};

    /// What this address is dialed from.
    std::optional<io::Source> source_towards(const IpAddress& to) const {
        if (source) return *source;
        if (const auto& given = sources.towards(to)) return io::Source(*given, true);
        return std::nullopt;
    }
};

/// How long an attempt has the field to itself: the Connection Attempt Delay of RFC 8305 section 5.
inline constexpr std::chrono::milliseconds attempt_delay{250};

/// The first connection that comes about. The next address is tried when one has failed, or after `attempt_delay`; the
/// losers are closed before this returns. `deadline` is for all of it, and so is `cancellation`, which goes on to rule
/// the stream.
///
/// When none comes about the error is the most telling one: refused (a machine answered), before timeout (silence),
/// before unreachable, before local (this machine could not even try). With no address to try it is unreachable:
/// EDESTADDRREQ where the plan has none, EAFNOSUPPORT where none is of the source's family.
io::Task<std::expected<io::Stream, io::ConnectError>> dial(io::Loop& loop, io::Cancellation& cancellation,
                                                           DialPlan plan, io::Deadline deadline);

}  // namespace sallyport::net
