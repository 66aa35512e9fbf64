// UDP in the running gateway: every socket goes to the room that its listener is for. Posts that come before a loop
// starts wait for that.
#include "cli/daemon.hpp"
#include "cli/settings.hpp"
#include "cli/turn_settings.hpp"

namespace sallyport::cli {

namespace {

turn::UdpDoor door_of(const listeners::UdpListener& listener) {
    const config::ListenAddress& address = listener.claim.address;
    const int kind = listener.claim.kind;
    return {listener.id, address.to_string(), address.address, kind != stun_alone, kind == turn_by_dtls};
}

bool is_dns(const listeners::UdpListener& listener) { return listener.claim.handler == dns_kind; }

void add(DataLoop& loop, const listeners::UdpListener& listener, io::Fd socket) {
    if (is_dns(listener)) {
        loop.with_dns([id = listener.id, address = listener.claim.address.to_string(), fd = std::move(socket)](
                          dns::Server& server) mutable { server.add_udp(id, std::move(address), std::move(fd)); });
    } else {
        loop.with_turn([door = door_of(listener), fd = std::move(socket)](turn::TurnLoop& turn) mutable {
            turn.add(std::move(door), std::move(fd));
        });
    }
}

void change(DataLoop& loop, const listeners::UdpListener& listener) {
    if (is_dns(listener)) return;  // it has one kind
    loop.with_turn([door = door_of(listener)](turn::TurnLoop& turn) { turn.retag(door); });
}

void remove(DataLoop& loop, const listeners::UdpListener& listener) {
    if (is_dns(listener))
        loop.with_dns([id = listener.id](dns::Server& server) { server.remove_udp(id); });
    else
        loop.with_turn([id = listener.id](turn::TurnLoop& turn) { turn.remove(id); });
}

}  // namespace

listeners::UdpListeners::Hooks Daemon::udp_hooks() {
    return {.added = [this](std::size_t loop, const listeners::UdpListener& listener,
                            io::Fd socket) { add(*data_loops_[loop], listener, std::move(socket)); },
            .changed = [this](std::size_t loop,
                              const listeners::UdpListener& listener) { change(*data_loops_[loop], listener); },
            .removed = [this](std::size_t loop,
                              const listeners::UdpListener& listener) { remove(*data_loops_[loop], listener); }};
}

void Daemon::adopt_zones() {
    for (std::size_t i = 0; i < data_loops_.size(); ++i)
        data_loops_[i]->with_dns([zones = generation_->zones[i]](dns::Server& server) { server.adopt(zones); });
}

}  // namespace sallyport::cli
