#include "listeners/udp_listeners.hpp"

#include "io/sockets.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::listeners {

Result<void> probe_udp(const config::ListenAddress& address) {
    auto socket = io::bind_udp(address.address, {.v4_too = address.dual_stack});
    if (!socket) return fail(std::move(socket.error()));
    return {};
}

Result<UdpListeners::Change> UdpListeners::prepare(std::vector<UdpClaim> wanted) {
    Change change;
    std::string errors;
    for (const UdpClaim& claim : wanted) {
        const auto same = [&](const UdpListener& held) { return held.claim.address == claim.address; };
        const auto complain = [&](const std::string& why) {
            errors += (errors.empty() ? "" : "\n") + claim.owner + ": " + why;
        };
        if (const auto held = std::ranges::find_if(held_, same); held != held_.end()) {
            if (held->claim.handler != claim.handler)
                complain(claim.address.to_string() + " is still open for " + held->claim.owner +
                         ": reload without it first");
            continue;
        }
        const auto overlaps = [&](const UdpListener& own) { return overlap(own.claim.address, claim.address); };
        const bool shares =
            std::ranges::any_of(held_, overlaps) || std::ranges::any_of(change.opened, overlaps, &Opened::listener);
        auto one = open(claim, shares);
        if (one)
            change.opened.push_back(std::move(*one));
        else
            complain(one.error().message);
    }
    if (!errors.empty()) return fail(std::move(errors));
    change.wanted = std::move(wanted);
    return change;
}

void UdpListeners::apply(Change change) {
    std::erase_if(held_, [&](UdpListener& held) {
        const auto claim = std::ranges::find(change.wanted, held.claim.address, &UdpClaim::address);
        const bool gone = claim == change.wanted.end();
        const bool changed = !gone && *claim != held.claim;
        if (changed) held.claim = *claim;
        for (std::size_t loop = 0; loop < loops_; ++loop) {
            if (gone) hooks_.removed(loop, held);
            if (changed) hooks_.changed(loop, held);
        }
        return gone;
    });
    for (Opened& one : change.opened) {
        for (std::size_t loop = 0; loop < loops_; ++loop)
            hooks_.added(loop, one.listener, std::move(one.sockets[loop]));
        held_.push_back(std::move(one.listener));
    }
}

Result<UdpListeners::Opened> UdpListeners::open(const UdpClaim& claim, bool shares) {
    // SO_REUSEPORT would let a second gateway of the same user share the port in silence. One address beside all
    // addresses of a port is no such thing: the kernel prefers the socket that says more.
    if (!shares) {
        if (auto free = probe_udp(claim.address); !free) return fail(std::move(free.error()));
    }
    Opened opened{.listener = {++last_id_, claim}, .sockets = {}};
    for (std::size_t loop = 0; loop < loops_; ++loop) {
        auto socket = io::bind_udp(claim.address.address,
                                   {.reuse_port = true, .v4_too = claim.address.dual_stack, .buffer = receive_buffer});
        if (!socket) return fail(std::move(socket.error()));
        opened.sockets.push_back(std::move(*socket));
    }
    return opened;
}

}  // namespace sallyport::listeners
