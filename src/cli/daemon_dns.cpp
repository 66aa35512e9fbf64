// The name server in the running gateway: its sockets, its zones, its part of the metrics.
#include "cli/daemon.hpp"
#include "cli/dns_settings.hpp"

namespace sallyport::cli {

// What the UDP listeners tell the loops. Posts that come before a loop starts wait for that.
listeners::UdpListeners::Hooks Daemon::dns_hooks() {
    return {.added =
                [this](std::size_t loop, const listeners::UdpListener& listener, io::Fd socket) {
                    data_loops_[loop]->with_dns([id = listener.id, address = listener.claim.address.to_string(),
                                                 fd = std::move(socket)](dns::Server& server) mutable {
                        server.add_udp(id, std::move(address), std::move(fd));
                    });
                },
            .changed = [](std::size_t, const listeners::UdpListener&) {},
            .removed =
                [this](std::size_t loop, std::uint64_t id) {
                    data_loops_[loop]->with_dns([id](dns::Server& server) { server.remove_udp(id); });
                }};
}

void Daemon::adopt_zones() {
    for (std::size_t i = 0; i < data_loops_.size(); ++i)
        data_loops_[i]->with_dns([zones = generation_->zones[i]](dns::Server& server) { server.adopt(zones); });
}

}  // namespace sallyport::cli
