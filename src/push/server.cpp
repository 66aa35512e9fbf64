#include "push/server.hpp"

#include "io/peek.hpp"
#include "io/relay.hpp"
#include "net/dial.hpp"
#include "net/proxy.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <utility>

namespace sallyport::push {

using namespace std::chrono_literals;
using telemetry::Reason;

namespace {

constexpr Duration hello_within = 10s;
constexpr Duration connected_within = 15s;
// Silent for hours is how a device waits; only after one side has ended is the other one's time short.
constexpr io::RelayLimits relay_limits{.idle = {}, .half_closed = 30s};
constexpr Duration goodbye_within = 2s;
// A ClientHello and the heads of its records, as in the gate.
constexpr std::size_t most_peeked = tls::max_client_hello + std::size_t{4} * 1024;

// Fatal alert unrecognized_name (RFC 8446 section 6.2), in the clear as before any handshake.
constexpr std::string_view unrecognized_name{"\x15\x03\x03\x00\x02\x02\x70", 7};

Reason reason_of(io::ConnectFailure failure) {
    switch (failure) {
        case io::ConnectFailure::refused: return Reason::target_refused;
        case io::ConnectFailure::timeout: return Reason::target_timeout;
        case io::ConnectFailure::unreachable: return Reason::target_unreachable;
        case io::ConnectFailure::cancelled: return Reason::draining;
        case io::ConnectFailure::local: return Reason::limit_descriptors;
    }
    return Reason::target_unreachable;
}

Reason reason_of(io::RelayEnd end) {
    switch (end) {
        case io::RelayEnd::both_closed: return Reason::ok;
        case io::RelayEnd::client_failed: return Reason::client_reset;
        case io::RelayEnd::target_failed: return Reason::target_closed;
        case io::RelayEnd::idle: return Reason::idle_timeout;  // one side had ended
        case io::RelayEnd::refused: return Reason::ok;         // nobody watches
        case io::RelayEnd::cancelled: return Reason::draining;
    }
    return Reason::ok;
}

// Each client begins with another of a courier's addresses, and always with the same one.
std::vector<SocketAddress> in_order_of(std::uint64_t client_hash, const std::vector<IpAddress>& addresses,
                                       std::uint16_t port) {
    std::vector<SocketAddress> out;
    for (const IpAddress& address : addresses) out.push_back({address, port});
    if (!out.empty()) std::ranges::rotate(out, out.begin() + static_cast<std::ptrdiff_t>(client_hash % out.size()));
    return out;
}

}  // namespace

/// What becomes its record. A device waits for days, so this holds nothing else.
struct Server::Session {
    listeners::ListenerHandle listener;
    SocketAddress client;
    SteadyTime since;
    WallTime began;
    listeners::ClientPlace place = {};
    std::string looked_for = {};
    std::string target = {};
    Reason reason = Reason::ok;
    std::string detail = {};
    io::Relayed relayed = {};
    bool relaying = false;

    bool refuse(Reason why, std::string about = {}) {
        reason = why;
        detail = std::move(about);
        return false;
    }
};

/// What it takes to find the way to Apple: gone once the connection is there.
struct Server::Way {
    std::shared_ptr<const Policy> policy;
    Ask ask;
    Decision decision = {};
};

Server::Server(io::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      hosts_(loop,
             [this](std::string host, io::Cancellation& cancellation) {
                 return ask_for_host(loop_, cancellation, policy_ ? policy_->servers : std::vector<SocketAddress>{},
                                     std::move(host));
             }),
      claims_(loop, policy_, hosts_, devices_, options_.unknown),
      scope_(loop) {}

bool Server::takes(int fd) const {
    if (!policy_) return false;
    const SocketAddress local = io::local_address(fd);
    return policy_->serves(local.port) && policy_->vips.contains(local.ip);
}

void Server::take(const listeners::ListenerHandle& listener, io::Accepted accepted) {
    const IpAddress& client = accepted.peer.ip;
    const bool banned = options_.guard != nullptr && options_.guard->banned(client);
    const std::uint32_t most = options_.most_of_client();
    Session session{
        .listener = listener,
        .client = accepted.peer,
        .since = loop_.now(),
        .began = loop_.wall(),
        .place = banned ? listeners::ClientPlace() : listeners::ClientPlace(options_.clients, client, most)};
    if (!session.place) {
        io::reset_when_closed(accepted.fd.get());
        session.refuse(banned ? Reason::ban_active : Reason::limit_client,
                       banned ? "" : "at most " + std::to_string(most));
        return report(session);
    }
    scope_.spawn(serve(std::move(session), std::move(accepted.fd)));
}

io::Task<void> Server::serve(Session session, io::Fd fd) {
    const Arrival arrival = arrival_of(fd.get());
    const bool ours = policy_ && (arrival.original || policy_->vips.contains(arrival.to.ip));
    if (!ours) {  // a wildcard takes what comes to any address of this machine
        io::reset_when_closed(fd.get());
        co_return;
    }
    auto device = io::Stream::adopt(loop_, std::move(fd), scope_.cancellation());
    if (!device) co_return;
    options_.counters.accepted(telemetry::Protocol::push);
    auto apple = co_await reach(session, *device, arrival);
    if (apple) {
        begin_relay(session, *device, *apple);
        session.reason = reason_of(co_await io::relay(*device, *apple, relay_limits, session.relayed));
        devices_.ended(session.client.ip);
        options_.counters.passed(telemetry::Protocol::push, session.relayed.to_target, session.relayed.to_client);
    }
    options_.counters.closed(telemetry::Protocol::push);
    if (session.reason != Reason::client_closed || session.relaying) report(session);
    if (!session.relaying) {
        devices_.refused(session.client.ip, loop_.wall());
        if (device->is_open() && session.reason != Reason::client_closed) {
            if (session.reason == Reason::push_not_apple) device->write(as_bytes(unrecognized_name));
            co_await close_lingering(*device, loop_.in(goodbye_within));
        }
    }
}

Server::Arrival Server::arrival_of(int fd) const {
    Arrival arrival{.to = io::local_address(fd)};
    if (policy_ && policy_->intercept) arrival.original = io::original_destination(fd);
    return arrival;
}

void Server::begin_relay(Session& session, const io::Stream& device, const io::Stream& apple) {
    io::keep_alive(device.fd());
    io::keep_alive(apple.fd());
    session.relaying = true;
    devices_.connected(session.client.ip, loop_.wall());
}

// The connection to Apple, or why there is none.
io::Task<std::optional<io::Stream>> Server::reach(Session& session, io::Stream& device, Arrival arrival) {
    Way way{.policy = policy_, .ask = {.to = arrival.to, .original = arrival.original}};
    const bool learned = co_await learn(session, way, device);
    if (!learned) co_return std::nullopt;
    co_return co_await connect(session, way);
}

// From its first bytes to a decision. Nothing is taken: Apple will see all of them.
io::Task<bool> Server::learn(Session& session, Way& way, io::Stream& device) {
    tls::ClientHello hello;
    tls::HelloResult result;
    const auto read = [&](Bytes bytes) {
        result = tls::read_client_hello(bytes, hello);
        return result.state != tls::HelloResult::State::need_more;
    };
    const io::Peeked peeked = co_await peek_until(device, most_peeked, loop_.in(hello_within), read);
    if (peeked == io::Peeked::silent) co_return session.refuse(Reason::client_closed);
    if (peeked == io::Peeked::ended)
        co_return session.refuse(Reason::client_closed, "in the middle of its ClientHello");
    if (peeked == io::Peeked::late) co_return session.refuse(Reason::peek_timeout);
    if (peeked == io::Peeked::cancelled) co_return session.refuse(Reason::draining);
    if (peeked == io::Peeked::too_much) co_return session.refuse(Reason::peek_too_large);
    if (result.state == tls::HelloResult::State::complete) {
        session.looked_for = hello.server_name;
        way.ask.hello = std::move(hello);
    }
    way.ask.client_hash = std::hash<IpAddress>{}(session.client.ip);
    way.ask.asked = devices_.asked_lately(session.client.ip, loop_.wall());
    way.decision = decide(*way.policy, way.ask);
    if (!way.decision.host.empty()) session.looked_for = way.decision.host;
    if (!way.decision.admitted()) co_return session.refuse(way.decision.reason, way.decision.detail);
    co_return true;
}

// The addresses that a connection may go to. Whatever a name server says: nowhere but to Apple.
io::Task<bool> Server::find_addresses(Session& session, const Way& way, std::vector<SocketAddress>& to) {
    const Decision& decision = way.decision;
    if (decision.address) {
        to.push_back({*decision.address, decision.port});
        co_return true;
    }
    HostAnswer answer = co_await hosts_.find(decision.host);
    if (answer.state == HostAnswer::State::failed) co_return session.refuse(Reason::target_unresolved, answer.detail);
    if (answer.state == HostAnswer::State::absent)
        co_return session.refuse(Reason::target_unresolved, "there is no such host");
    const std::size_t named = answer.addresses.size();
    const IpAddress first = named == 0 ? IpAddress{} : answer.addresses.front();
    std::erase_if(answer.addresses, [&](const IpAddress& one) { return !way.policy->allows(one); });
    if (answer.addresses.empty() && named != 0)
        co_return session.refuse(Reason::push_not_apple,
                                 decision.host + " resolves to " + first.to_string() + ", which is not in allow_to");
    if (answer.addresses.empty()) co_return session.refuse(Reason::target_unresolved, "it has no address");
    to = in_order_of(way.ask.client_hash, answer.addresses, decision.port);
    co_return true;
}

io::Task<std::optional<io::Stream>> Server::connect(Session& session, const Way& way) {
    std::vector<SocketAddress> to;
    const bool found = co_await find_addresses(session, way, to);
    if (!found) co_return std::nullopt;
    if (way.policy->via.empty()) co_return co_await connect_by(session, std::move(to));
    for (const config::ProxyUrl& proxy : way.policy->via) {
        auto stream = co_await connect_via(session, proxy, to);
        if (stream) {
            session.reason = Reason::ok;
            session.detail.clear();
            co_return stream;
        }
    }
    co_return std::nullopt;
}

// Races them, from the device's own source address.
io::Task<std::optional<io::Stream>> Server::connect_by(Session& session, std::vector<SocketAddress> to) {
    net::DialPlan plan{.addresses = std::move(to)};
    if (options_.sources != nullptr && options_.sources->enabled()) {
        const auto choice = co_await options_.sources->find(session.client.ip);
        if (!choice) {
            session.refuse(Reason::egress_unknown);
            co_return std::nullopt;
        }
        std::erase_if(plan.addresses, [&](const SocketAddress& one) { return choice->refused(one.ip); });
        if (plan.addresses.empty()) {
            session.refuse(Reason::egress_exhausted);
            co_return std::nullopt;
        }
        plan.sources = choice->sources;
    }
    const std::string tried = plan.addresses.front().to_string();
    auto stream = co_await net::dial(loop_, scope_.cancellation(), std::move(plan), loop_.in(connected_within));
    if (!stream) {
        session.target = tried;
        const int error = stream.error().error;
        session.refuse(reason_of(stream.error().failure), error == 0 ? "" : std::strerror(error));
        co_return std::nullopt;
    }
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    getpeername(stream->fd(), reinterpret_cast<sockaddr*>(&storage), &size);
    session.target = SocketAddress::from(reinterpret_cast<const sockaddr&>(storage)).to_string();
    co_return std::move(*stream);
}

// By address, not by name: what was checked is what is connected to.
io::Task<std::optional<io::Stream>> Server::connect_via(Session& session, config::ProxyUrl proxy,
                                                        std::vector<SocketAddress> to) {
    std::vector<SocketAddress> proxies;
    if (const auto address = IpAddress::parse(proxy.host)) {
        proxies.push_back({*address, proxy.port});
    } else {
        const auto found = co_await options_.resolve(proxy.host, scope_.cancellation());
        if (!found) {
            session.refuse(Reason::target_unresolved, "proxy " + proxy.to_string() + ": " + found.error().message);
            co_return std::nullopt;
        }
        for (const IpAddress& one : *found) proxies.push_back({one, proxy.port});
    }
    constexpr std::size_t most_tries = 3;  // a proxy does not race for us
    for (std::size_t i = 0; i < std::min(most_tries, to.size()); ++i) {
        auto stream = co_await connect_by(session, proxies);
        if (!stream) {
            session.detail = "proxy " + proxy.to_string() + (session.detail.empty() ? "" : ": ") + session.detail;
            co_return std::nullopt;
        }
        const net::ProxyTarget target{to[i].ip, to[i].port};
        const std::string refused = co_await net::open_through(*stream, proxy, target, loop_.in(connected_within));
        session.target = to[i].to_string();
        if (refused.empty()) co_return stream;
        session.refuse(Reason::target_refused, "proxy " + proxy.to_string() + ": " + refused);
    }
    co_return std::nullopt;
}

void Server::report(const Session& session) {
    telemetry::Record record;
    record.time = session.began;
    record.protocol = telemetry::Protocol::push;
    record.listener = session.listener->address;
    record.client = session.client;
    record.service = session.relaying ? "push" : "";
    record.looked_for = session.looked_for;
    record.target = session.target;
    record.tls_client = true;  // end to end: not ours
    record.tls_target = true;
    record.verdict = session.relaying ? telemetry::Verdict::forwarded : telemetry::Verdict::refused;
    record.reason = session.reason;
    record.bytes_in = session.relayed.to_target;
    record.bytes_out = session.relayed.to_client;
    record.duration = loop_.now() - session.since;
    record.detail = session.detail;
    options_.counters.ended(record);
    options_.reporter.report(record);
}

// Devices wait for pushes by the day: few end by themselves, but what is on its way to one arrives meanwhile. Those
// that are cut come back within seconds, elsewhere.
io::Task<void> Server::finish(io::Deadline patience) {
    while (open() > 0 && !hurried_ && loop_.now() < patience.when())
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(50ms));
    scope_.cancel();
    co_await scope_.join();
    co_await claims_.close();
    co_await hosts_.close();
}

}  // namespace sallyport::push
