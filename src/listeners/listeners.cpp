#include "listeners/listeners.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::listeners {

namespace {

const Claim* find_claim(const std::vector<Claim>& claims, const config::ListenAddress& address) {
    const auto found = std::ranges::find(claims, address, &Claim::address);
    return found == claims.end() ? nullptr : &*found;
}

}  // namespace

Result<void> probe(const config::ListenAddress& address) {
    auto socket = io::listen_tcp(address.address, {.reuse_port = false, .v4_too = address.dual_stack});
    if (!socket) return fail(std::move(socket.error()));
    return {};
}

Result<void> Listeners::apply(std::vector<Claim> wanted, const std::function<void()>& before_hand_over) {
    auto opened = open_new(wanted);
    if (!opened) return fail(std::move(opened.error()));
    if (before_hand_over) before_hand_over();
    keep(wanted);
    for (Opened& socket : *opened) add(std::move(socket));
    return {};
}

std::vector<Bound> Listeners::bound() const {
    std::vector<Bound> out;
    for (const Held& held : held_) {
        config::ListenAddress address = held.claim.address;
        address.address.port = held.port;
        out.push_back({address.to_string(), held.port, held.claim.owner, held.claim.tls, held.claim.kind});
    }
    return out;
}

Listeners::Held* Listeners::find(const config::ListenAddress& address) {
    const auto found = std::ranges::find(held_, address, [](const Held& held) { return held.claim.address; });
    return found == held_.end() ? nullptr : &*found;
}

Result<std::vector<Listeners::Opened>> Listeners::open_new(const std::vector<Claim>& wanted) {
    std::vector<Opened> opened;
    std::string errors;
    const auto complain = [&](const Claim& claim, const std::string& what) {
        errors += (errors.empty() ? "" : "\n") + claim.owner + ": " + what;
    };
    for (const Claim& claim : wanted) {
        if (const Claim* first = find_claim(wanted, claim.address); first != &claim) {
            complain(claim, claim.address.to_string() + " is claimed by " + first->owner + " already");
            continue;
        }
        if (find(claim.address) != nullptr) continue;
        auto sockets = open(claim);
        if (sockets)
            opened.push_back(std::move(*sockets));
        else
            complain(claim, sockets.error().message);
    }
    if (!errors.empty()) return fail(std::move(errors));
    return opened;
}

Result<Listeners::Opened> Listeners::open(const Claim& claim) {
    SocketAddress address = claim.address.address;
    // SO_REUSEPORT would let a second gateway of the same user share the port in silence. A port that was ours may
    // still be closing on a loop, or be held by an address that this one takes over from.
    if (address.port != 0 && !own_ports_.contains(address.port)) {
        auto free = probe(claim.address);
        if (!free) return fail(std::move(free.error()));
    }
    Opened opened{.held = {claim, ++last_id_, 0}, .sockets = {}};
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        auto socket = io::listen_tcp(address, {.reuse_port = true, .v4_too = claim.address.dual_stack});
        if (!socket) return fail(std::move(socket.error()));
        address.port =
            io::local_address(socket->get()).port;  // the sockets of one address share what the first one got
        opened.sockets.push_back(std::move(*socket));
    }
    opened.held.port = address.port;
    own_ports_.insert(address.port);  // at once: a wildcard may follow that has the same port as this address
    return opened;
}

void Listeners::add(Opened opened) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        post(loops_[i], [listener = opened.held.listener(), fd = std::move(opened.sockets[i])](
                            LoopListeners& on) mutable { on.add(std::move(listener), std::move(fd)); });
    }
    held_.push_back(std::move(opened.held));
}

// Removes what is not wanted any more, and gives what stays its present tag.
void Listeners::keep(const std::vector<Claim>& wanted) {
    std::erase_if(held_, [&](Held& held) {
        const Claim* claim = find_claim(wanted, held.claim.address);
        if (claim == nullptr) {
            for (const LoopPort& loop : loops_) post(loop, [id = held.id](LoopListeners& on) { on.remove(id); });
        } else if (*claim != held.claim) {
            held.claim = *claim;
            for (const LoopPort& loop : loops_) {
                post(loop, [listener = held.listener()](LoopListeners& on) mutable { on.retag(std::move(listener)); });
            }
        }
        return claim == nullptr;
    });
}

void Listeners::post(const LoopPort& to, std::move_only_function<void(LoopListeners&)> work) {
    to.loop.post([handle = to.listeners.handle(), work = std::move(work)]() mutable {
        if (const auto alive = handle.lock()) work(**alive);
    });
}

}  // namespace sallyport::listeners
