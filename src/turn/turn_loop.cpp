#include "turn/turn_loop.hpp"

#include "guard/sign.hpp"
#include "telemetry/record.hpp"
#include "turn/kernel_nat.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace sallyport::turn {

using namespace std::chrono_literals;

namespace {

constexpr unsigned batches_a_turn = 2;  // of one socket; then others get their turn
constexpr Duration swept_every = 1s;
constexpr std::size_t most_asked = 64;  // of the kernel at a time; who comes then is told what is seen here
constexpr Duration looked_every = 200ms;  // while draining
constexpr Duration own_known_for = 1s;  // addresses of this machine: asking the kernel takes a tenth of a millisecond

}  // namespace

TurnLoop::TurnLoop(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters,
                   guard::Lookout& guard, Shared& shared, SettingsHandle settings)
    : loop_(loop),
      reporter_(reporter),
      counters_(counters),
      guard_(guard),
      server_(*this, shared, std::move(settings), loop.now()),
      scope_(loop) {}

void TurnLoop::add(UdpDoor door, io::Fd socket) {
    const bool is_wildcard = io::local_address(socket.get()).ip.is_unspecified();
    auto adopted = io::UdpSocket::adopt(loop_, std::move(socket), scope_.cancellation());
    if (!adopted) return;  // epoll is out of watches: nothing is served there
    const auto open = std::make_shared<Open>(std::move(door), std::move(*adopted), ++last_number_, is_wildcard);
    doors_.emplace(open->number, open);
    scope_.spawn(serve(open));
    begin_keeping_time();
}

void TurnLoop::begin_keeping_time() {
    if (!std::exchange(keeps_time_, true)) scope_.spawn(keep_time());
}

TurnLoop::Open* TurnLoop::find(std::uint64_t id) {
    const auto found = std::ranges::find_if(doors_, [&](const auto& one) { return one.second->door.id == id; });
    return found == doors_.end() ? nullptr : found->second.get();
}

void TurnLoop::retag(const UdpDoor& door) {
    if (Open* open = find(door.id)) open->door = door;
}

void TurnLoop::remove(std::uint64_t id) {
    if (Open* open = find(id)) open->removed = true;
    close_removed();
}

void TurnLoop::close_removed() {
    std::erase_if(doors_, [this](const auto& one) {
        Open& open = *one.second;
        bool in_use = !open.removed;
        server_.table().for_each([&](std::uint32_t, const Allocation& allocation) {
            in_use = in_use || (!is_stream(allocation.link.transport) && allocation.link.number == open.number);
        });
        if (!in_use) {
            open.socket.close();
            std::erase_if(dtls_clients_, [&](const auto& client) { return client.first.number == open.number; });
        }
        return !in_use;
    });
}

io::Task<void> TurnLoop::serve(std::shared_ptr<Open> open) {
    while (open->socket.is_open()) {
        const io::Wait waited = co_await open->socket.readable(io::Deadline::none);
        if (waited != io::Wait::ready) co_return;
        for (unsigned i = 0; i < batches_a_turn && open->socket.is_open(); ++i) {
            const auto datagrams = open->socket.receive(batch_);
            for (const io::Datagram& one : datagrams) {
                if (one.truncated) continue;
                if (open->door.dtls) {
                    take_dtls(*open, one);
                    continue;
                }
                const Link link{one.peer, {one.local, open->door.own.port}, open->number, Transport::udp};
                if (open->removed && server_.table().find(link) == nullptr) continue;
                server_.from_client(link, open->door.relays, one.bytes, now());
            }
            send_gathered();
            if (datagrams.size() < io::DatagramBatch::capacity) break;
        }
        if (!open->socket.is_open()) co_return;
        co_await io::Yield{loop_};
    }
}

io::Task<void> TurnLoop::serve_relay(RelayId id, io::UdpSocket socket) {
    relays_[static_cast<std::size_t>(socket.fd())] = &socket;
    // The batch that its client's request came in is being read, and may not be over yet; and a port that was kept for
    // the second of a pair has received already.
    co_await io::Yield{loop_};
    while (socket.is_open()) {
        const io::Wait waited = co_await socket.readable(io::Deadline::none);
        if (waited != io::Wait::ready) co_return;
        const auto datagrams = socket.receive(batch_);
        for (const io::Datagram& one : datagrams) {
            if (one.truncated || !socket.is_open()) continue;
            server_.from_peer(id, one.peer, one.bytes, now());
        }
        for (auto error = socket.take_icmp(); error && socket.is_open(); error = socket.take_icmp())
            server_.icmp_from(id, error->peer, {error->type, error->code, error->mtu}, now());
        send_gathered();
        if (datagrams.size() == io::DatagramBatch::capacity) co_await io::Yield{loop_};
    }
}

io::Task<void> TurnLoop::keep_time() {
    for (;;) {
        const io::Wait waited = co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(swept_every));
        if (waited != io::Wait::timeout) co_return;
        server_.sweep(now());
        look_after_dtls();
        if (std::ranges::any_of(doors_, [](const auto& one) { return one.second->removed; })) close_removed();
    }
}

io::Task<void> TurnLoop::finish(io::Deadline patience) {
    server_.drain();
    while (server_.allocations() != 0 && !hurried_ && loop_.now() < patience.when()) {
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(looked_every));
    }
    server_.end_all(telemetry::Reason::draining, now());
    for (const auto& [number, client] : streams_) client->cancellation.request();
    scope_.cancel();
    co_await scope_.join();
}

std::expected<int, int> TurnLoop::open_relay(const SocketAddress& own) {
    auto socket = io::bind_one_udp(own);
    if (!socket) return std::unexpected(socket.error());
    return socket->release();
}

bool TurnLoop::start_relay(RelayId id, int number) {
    auto socket = io::UdpSocket::adopt(loop_, io::Fd(number), scope_.cancellation());
    if (!socket) return false;
    socket->keep_icmp();
    socket->set_fragmentation(true);  // RFC 8656 section 14: only DONT-FRAGMENT forbids it
    if (relays_.size() <= static_cast<std::size_t>(number)) relays_.resize(static_cast<std::size_t>(number) + 1);
    scope_.spawn(serve_relay(id, std::move(*socket)));
    return true;
}

void TurnLoop::close_relay(int number) {
    burst_.flush();
    if (const auto tcp = acceptors_.extract(number)) return tcp.mapped()->close();
    const auto place = static_cast<std::size_t>(number);
    if (place < relays_.size() && relays_[place] != nullptr)
        std::exchange(relays_[place], nullptr)->close();
    else
        ::close(number);
}

bool TurnLoop::look_up(const HeldBinding& held) {
    if (asked_ == most_asked) return false;
    if (!kernel_asker_) kernel_asker_.emplace(most_asked);
    ++asked_;
    scope_.spawn(ask_kernel(held));
    return true;
}

io::Task<void> TurnLoop::ask_kernel(HeldBinding held) {
    const auto mapped = co_await kernel_asker_->run(loop_, scope_.cancellation(),
                                                    [client = held.link.client] { return kernel_mapping(client); });
    --asked_;
    if (mapped) server_.answer_held(held, *mapped);
    send_gathered();
}

std::uint32_t TurnLoop::number_at(const SocketAddress& own) {
    const auto found = std::ranges::find_if(doors_, [&](const auto& one) { return one.second->door.own == own; });
    return found == doors_.end() ? 0 : found->first;
}

void TurnLoop::to_client(const Link& link, const Packet& packet) {
    if (is_stream(link.transport)) return to_stream(link, packet);
    if (link.transport == Transport::dtls) return to_dtls(link, packet);
    const auto door = doors_.find(link.number);
    if (door == doors_.end()) return;
    static constexpr std::array<std::byte, 4> zeros{};
    const std::array<Bytes, 3> pieces{packet.head, packet.body, Bytes(zeros).first(packet.padding)};
    const std::size_t count = packet.padding != 0 ? 3 : packet.body.empty() ? 1 : 2;
    const IpAddress from = door->second->is_wildcard ? link.local.ip : IpAddress{};
    burst_.send_one(door->second->socket, link.client, from, std::span(pieces).first(count));
}

void TurnLoop::to_peer(int number, const SocketAddress& peer, Bytes data, bool dont_fragment) {
    io::UdpSocket& socket = *relays_[static_cast<std::size_t>(number)];
    if (!dont_fragment) return burst_.send_one(socket, peer, {}, std::array{data});
    burst_.flush();
    socket.set_fragmentation(false);
    socket.send_one(peer, {}, std::array{data});
    socket.set_fragmentation(true);
}

void TurnLoop::began() { counters_.accepted(telemetry::Protocol::turn); }

void TurnLoop::passed(std::size_t in, std::size_t out) { counters_.passed(telemetry::Protocol::turn, in, out); }

bool TurnLoop::is_own(const IpAddress& address) {
    if (loop_.now() >= own_until_) {
        own_ = io::own_addresses();
        own_until_ = loop_.now() + own_known_for;
    }
    return std::ranges::find(own_, address) != own_.end();
}

bool TurnLoop::is_banned(const IpAddress& client) { return guard_.banned(client); }

// A story with a relay is an allocation's, which was served; any other is a refusal's.
void TurnLoop::tell(const Story& story) {
    const bool served = story.relay.port != 0;
    const bool by_stream = is_stream(story.link.transport);
    const auto door = by_stream ? doors_.end() : doors_.find(story.link.number);
    const auto stream = by_stream ? streams_.find(story.link.number) : streams_.end();
    const std::string_view listener = stream != streams_.end() ? stream->second->listener->address
                                      : door != doors_.end()   ? door->second->door.address
                                                               : std::string_view();
    const std::string relay = served ? story.relay.to_string() : std::string();
    const telemetry::Record record{
        .time = loop_.wall(),
        .protocol = telemetry::Protocol::turn,
        .listener = listener,
        .client = story.link.client,
        .service = {},
        .looked_for = story.user,
        .nearest = {},
        .target = relay,
        .tls_client = story.link.transport == Transport::tls || story.link.transport == Transport::dtls,
        .verdict = served ? telemetry::Verdict::forwarded : telemetry::Verdict::refused,
        .reason = story.reason,
        .bytes_in = story.bytes_in,
        .bytes_out = story.bytes_out,
        .duration = story.lasted,
        .method = {},
        .url = {},
        .detail = story.detail};
    if (served) counters_.closed(telemetry::Protocol::turn);
    counters_.ended(record);
    reporter_.report(record);
}

void TurnLoop::suspect(const Link& link) {
    guard_.suspect({.client = link.client.ip,
                    .protocol = telemetry::Protocol::turn,
                    .sign = guard::Sign::wrong_credentials,
                    .credential = 0,
                    .time = loop_.now()});
}

}  // namespace sallyport::turn
