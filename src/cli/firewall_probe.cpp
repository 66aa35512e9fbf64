#include "cli/firewall_probe.hpp"

#include "firewall/ports.hpp"
#include "io/fd.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace sallyport::cli {

namespace {

constexpr int answers_within_ms = 1000;

struct Own {
    config::ListenAddress listen;
    bool udp = false;
    std::string name;
};

std::vector<Own> own_listeners(const config::Config& config) {
    std::vector<Own> out;
    const auto add = [&out](const std::vector<config::Located<config::ListenAddress>>& addresses, bool udp,
                            std::string_view name) {
        for (const auto& address : addresses) out.push_back({address.value, udp, std::string(name)});
    };
    for (const auto& kind : config::listen_kinds) add(config.listen.*kind.addresses, false, kind.key);
    add(config.admin.listen, false, "admin");
    add(config.stun.listen, true, "stun");
    add(config.turn.udp, true, "turn udp");
    add(config.turn.tcp, false, "turn tcp");
    add(config.turn.tls, false, "turn tls");
    add(config.turn.dtls, true, "turn dtls");
    add(config.dns.listen, true, "dns");
    add(config.dns.listen, false, "dns");
    return out;
}

SocketAddress reached_at(const config::ListenAddress& listen) {
    SocketAddress at = listen.address;
    if (at.ip.is_unspecified()) at.ip = *IpAddress::parse(at.ip.is_v4() || listen.dual_stack ? "127.0.0.1" : "::1");
    return at;
}

bool answers(const SocketAddress& address) {
    sockaddr_storage storage{};
    const auto length = address.to_sockaddr(storage);
    const io::Fd fd(::socket(storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return false;
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), length) == 0) return true;
    pollfd done{.fd = fd.get(), .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t size = sizeof error;
    return ::poll(&done, 1, answers_within_ms) == 1 &&
           ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

bool has_socket(const std::vector<firewall::Listening>& sockets, const SocketAddress& address) {
    return std::ranges::any_of(sockets, [&](const firewall::Listening& one) {
        return one.transport == firewall::Transport::udp && one.address.port == address.port &&
               (one.address.ip == address.ip || one.address.ip.is_unspecified() || address.ip.is_unspecified());
    });
}

}  // namespace

std::vector<std::string> silent_listeners(const config::Config& config) {
    const auto sockets = firewall::listening().value_or(std::vector<firewall::Listening>{});
    std::vector<std::string> out;
    for (const Own& own : own_listeners(config)) {
        const bool serves = own.udp ? has_socket(sockets, own.listen.address) : answers(reached_at(own.listen));
        if (!serves) out.push_back(own.listen.to_string() + " (" + own.name + (own.udp ? ", UDP)" : ")"));
    }
    return out;
}

}  // namespace sallyport::cli
