// Questions by UDP, and what both transports have in common.
#include "dns/server.hpp"

#include "dns/respond.hpp"

#include <algorithm>

namespace sallyport::dns {

using telemetry::Reason;

struct Server::Udp {
    explicit Udp(std::string listener) : address(std::move(listener)) {}

    std::string address;
    io::Cancellation gone;
    std::optional<io::UdpSocket> socket;
    std::optional<Replies> replies;
};

struct Server::UdpWaiting final : ClientWaiting {
    UdpWaiting(Server& of, std::shared_ptr<Udp> by, const Query& query, const Origin& from,
               const io::Datagram& asked_by, std::size_t most, std::string_view target_name)
        : ClientWaiting(of, query, from, most, target_name), udp(std::move(by)), datagram(asked_by) {
        datagram.bytes = {};  // they are gone by then
    }

    void answered(const Reply& reply) override {
        Bytes answer = reply.write(udp->replies->room().first(limit), asked);
        const Origin origin{.client = client, .listener = udp->address, .tcp = false, .size = size};
        server.tell(origin, asked, {.reason = reply.reason(), .view = {}, .target = target}, answer.size(),
                    server.loop_.now() - began);
        if (server.within_limit(client, answer)) udp->replies->add(datagram, answer);
    }

    std::shared_ptr<Udp> udp;
    io::Datagram datagram;
};

Server::Server(io::Loop& loop, telemetry::Reporter& reporter, telemetry::LoopCounters& counters, guard::Lookout& guard,
               const ServerOptions& options)
    : loop_(loop),
      reporter_(reporter),
      counters_(counters),
      guard_(guard),
      options_(options),
      tcp_room_(std::make_unique_for_overwrite<std::array<std::byte, max_message>>()),
      limit_(options.seed),
      scope_(loop),
      forwarder_(loop, [this] { flush_replies(); }) {}

Server::~Server() = default;

void Server::adopt(LoopZones zones) {
    zones_ = std::move(zones);
    if (zones_.zones) forwarder_.adopt(*zones_.zones, zones_.upstream_tls);
}

void Server::add_udp(std::uint64_t id, std::string address, io::Fd fd) {
    auto udp = std::make_shared<Udp>(std::move(address));
    auto socket = io::UdpSocket::adopt(loop_, std::move(fd), udp->gone);
    if (!socket || finishing_) return;
    udp->socket.emplace(std::move(*socket));
    udp->replies.emplace(*udp->socket);
    udps_[id] = udp;
    scope_.spawn(serve_udp(std::move(udp)));
}

void Server::remove_udp(std::uint64_t id) {
    const auto found = udps_.find(id);
    if (found == udps_.end()) return;
    found->second->gone.request();
    udps_.erase(found);
}

io::Task<void> Server::serve_udp(std::shared_ptr<Udp> udp) {
    while (!udp->gone.requested()) {
        const auto datagrams = udp->socket->receive(batch_);
        fetch_names(datagrams);
        for (const io::Datagram& datagram : datagrams) answer_datagram(udp, datagram);
        forwarder_.flush();
        flush_replies();
        if (datagrams.size() < io::DatagramBatch::capacity)
            co_await udp->socket->readable(io::Deadline::none);
        else
            co_await io::Yield{loop_};
    }
}

// Many names lie far apart: what this batch asks for comes at once, not each in its turn.
void Server::fetch_names(std::span<const io::Datagram> datagrams) const {
    if (!zones_.zones || datagrams.size() < 2 || !zones_.zones->names().are_many()) return;
    std::array<std::uint64_t, io::DatagramBatch::capacity> hashes;
    std::size_t count = 0;
    for (const io::Datagram& datagram : datagrams) {
        const auto end = skip_plain_name(datagram.bytes, header_size);
        if (!end) continue;
        hashes[count++] =
            NameKey(datagram.bytes.subspan(header_size, *end - header_size), zones_.zones->seed()).hash(0);
    }
    zones_.zones->names().fetch(std::span(hashes).first(count));
}

void Server::answer_datagram(const std::shared_ptr<Udp>& udp, const io::Datagram& datagram) {
    if (!zones_.zones || datagram.peer.port == 0 || guard_.banned(datagram.peer.ip)) return;
    const Origin origin{.client = datagram.peer, .listener = udp->address, .tcp = false, .size = datagram.bytes.size()};
    const auto most = [](const Query& query) {
        return std::min<std::size_t>(query.edns ? query.edns->payload : least_payload, udp_payload);
    };
    Query query;
    const Received received = read_query(datagram.bytes, query);
    if (received == Received::nothing) return;
    Bytes answer =
        respond(received, query, origin, udp->replies->room().first(most(query)),
                [&](const Query& asked, std::string_view target) {
                    return std::make_unique<UdpWaiting>(*this, udp, asked, origin, datagram, most(asked), target);
                });
    if (!answer.empty() && within_limit(datagram.peer, answer)) udp->replies->add(datagram, answer);
}

// May this answer be sent by UDP? It may have been cut.
bool Server::within_limit(const SocketAddress& client, Bytes& answer) {
    const bool stranger = !zones_.zones->serves(client.ip);
    const std::uint32_t a_second = stranger ? refusals_a_second : zones_.zones->settings().answers_per_second;
    const auto verdict = limit_.take(client.ip, a_second, loop_.now());
    if (verdict == RateLimit::Verdict::send) return true;
    if (stranger || verdict == RateLimit::Verdict::drop) return false;
    const auto response = read_response(answer);
    if (!response) return false;
    std::array<std::byte, header_size + max_name + 4> cut;
    const Bytes head =
        AnswerWriter(cut, {.id = response->header.id, .flags = response->header.flags, .question = response->question},
                     0, flag::truncated)
            .finish();
    std::memcpy(const_cast<std::byte*>(answer.data()), head.data(), head.size());  // in the room of the replies
    answer = answer.first(head.size());
    return true;
}

// A name that its claimant has to find out about.
io::Task<void> Server::settle(std::unique_ptr<Waiting> who, Name name, std::uint16_t type, IpAddress client) {
    if (settling_ >= most_settling) co_return who->answered({{}, {}, ExtendedError::none, Reason::dns_busy});
    ++settling_;
    const Claim claim = co_await claims_->settle(name, client);
    --settling_;
    if (claim.state == Claim::State::unsettled) {
        who->answered({{}, {}, ExtendedError::no_reachable_authority, Reason::dns_no_answer});
    } else {
        std::array<std::byte, max_name + 4> question;
        ByteWriter out(question);
        out.bytes(name.wire());
        out.u16(type);
        out.u16(class_in);
        std::array<std::byte, max_name + 256> room;
        const Decision decision{.outcome = dns::Outcome::claimed, .claim = claim};
        const Bytes answer = write_answer(room, {.id = 0, .flags = 0, .question = out.written()}, type, decision);
        who->answered({answer, {}, ExtendedError::none, Reason::ok});
    }
    flush_replies();
}

void Server::tell(const Origin& origin, const Asked& asked, const Outcome& outcome, std::size_t answered,
                  Duration took) {
    const bool good = outcome.reason == Reason::ok || outcome.reason == Reason::dns_stale;
    telemetry::Record record{};
    record.protocol = telemetry::Protocol::dns;
    record.listener = origin.listener;
    record.client = origin.client;
    record.verdict = good ? telemetry::Verdict::forwarded : telemetry::Verdict::refused;
    record.reason = outcome.reason;
    record.bytes_in = origin.size;
    record.bytes_out = answered;
    record.duration = took;
    counters_.passed(telemetry::Protocol::dns, origin.size, answered);
    counters_.ended(record);
    if (!zones_.zones->settings().log_queries) return;
    std::string looked_for, type;
    if (!asked.question.empty()) {
        looked_for = Name::from_wire(asked.question.first(asked.question.size() - 4)).value_or(Name{}).to_string();
        type = type_name(*ByteReader(asked.question.last(4)).u16());
    }
    record.time = loop_.wall_at(loop_.now() - took);
    record.looked_for = looked_for;
    record.method = type;
    record.service = outcome.view;
    record.target = outcome.target;
    reporter_.report(record);
}

void Server::flush_replies() {
    for (const auto& [id, udp] : udps_) udp->replies->flush();
    for (const TcpHandle& tcp : std::exchange(dirty_, {})) flush_tcp(tcp);
}

io::Task<void> Server::finish() {
    finishing_ = true;
    co_await forwarder_.close();
    flush_replies();
    for (const auto& [id, udp] : udps_) udp->gone.request();
    udps_.clear();
    scope_.cancel();
    co_await scope_.join();
}

}  // namespace sallyport::dns
