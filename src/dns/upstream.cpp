#include "dns/upstream.hpp"

#include "crypto/hash.hpp"
#include "dns/exchange.hpp"
#include "dns/pass_back.hpp"
#include "io/sockets.hpp"
#include "wire/dns/message.hpp"

#include <algorithm>
#include <optional>
#include <span>

namespace sallyport::dns {

namespace {

constexpr std::chrono::seconds port_idle{10};  // an unused port is given up

void put_id(std::vector<std::byte>& query, std::uint16_t id) { ByteWriter(query).u16(id); }

bool answers(const Response& response, const Try& one) {
    return same_question(response.question, one.exchange->question());
}

}  // namespace

void Tries::add(Try& one, std::uint16_t random) {
    one.id = random;
    while (find(one.id) != nullptr) ++one.id;
    Try*& first = buckets_[one.id % buckets_.size()];
    one.next = first;
    one.in = this;
    first = &one;
    ++count_;
}

Try* Tries::find(std::uint16_t id) const {
    Try* at = buckets_[id % buckets_.size()];
    while (at != nullptr && at->id != id) at = at->next;
    return at;
}

void Tries::remove(Try& one) {
    Try** link = &buckets_[one.id % buckets_.size()];
    while (*link != &one) link = &(*link)->next;
    *link = one.next;
    one.in = nullptr;
    --count_;
}

void Tries::forget_all() {
    for_each([this](Try& one) { remove(one); });
}

std::uint32_t Randoms::next() {
    if (left_ == 0) {
        crypto::fill_random(std::as_writable_bytes(std::span(numbers_)));
        left_ = numbers_.size();
    }
    return numbers_[--left_];
}

struct Upstream::Port {
    io::Cancellation gone;
    std::optional<io::UdpSocket> socket;
    Tries tries;
    std::array<io::Datagram, io::DatagramBatch::capacity> queue;
    std::size_t queued = 0;
    std::uint32_t questions = 0;
    std::uint32_t forgeries = 0;
    bool retired = false;
};

struct Upstream::Link {
    std::optional<io::Stream> stream;
    io::Cancellation gone;
    Tries tries;
    std::vector<std::byte> waiting;  // to be written once it is connected
    std::vector<std::byte> partial;  // of a message that has not come whole
    bool connected = false;
    bool answered = false;  // something
};

Upstream::Upstream(io::Scope& scope, config::DnsUpstream server, Randoms& randoms, io::DatagramBatch& batch,
                   const UpstreamHooks& hooks)
    : scope_(scope), server_(std::move(server)), randoms_(randoms), batch_(batch), hooks_(hooks) {}

Upstream::~Upstream() = default;

void Upstream::missed() {
    numbers_.of(Passed::missed).add(1);
    health_.missed(scope_.loop().now());
    failing_ = health_.failing();
}

void Upstream::answered_in(Duration took) {
    numbers_.of(Passed::answered).add(1);
    health_.answered(took);
    failing_ = false;
    round_trip_ = health_.round_trip();
}

UpstreamFacts Upstream::facts() const {
    UpstreamFacts out{.name = server_.to_string(), .numbers = {}, .failing = failing_, .round_trip = round_trip_};
    for (std::size_t i = 0; i < out.numbers.passed.size(); ++i) out.numbers.passed[i] = numbers_.passed[i].value();
    return out;
}

// Has the question come back letter by letter? From one that is not known to do that, any case will do: nothing is won
// by what it does not do, nor lost.
bool Upstream::repeats(Bytes question, const Try& one) {
    const Bytes asked = one.exchange->question();
    const bool same = std::ranges::equal(question, asked);
    const auto is_capital = [](std::byte octet) { return octet >= std::byte{'A'} && octet <= std::byte{'Z'}; };
    if (same && !keeps_case_) keeps_case_ = std::ranges::any_of(asked.first(asked.size() - 4), is_capital);
    return same || !keeps_case_;
}

// ---- By UDP.

Upstream::Port* Upstream::port() {
    const std::size_t chosen = randoms_.below(most_ports);
    if (chosen < ports_.size() && !ports_[chosen]->retired) return ports_[chosen].get();
    if (ports_.size() < most_ports) {
        if (Port* fresh = open_port()) return fresh;
    }
    const auto usable = std::ranges::find(ports_, false, [](const auto& port) { return port->retired; });
    return usable == ports_.end() ? nullptr : usable->get();
}

Upstream::Port* Upstream::open_port() {
    auto fd = io::connect_udp(server_.address);
    if (!fd) return nullptr;
    auto port = std::make_unique<Port>();
    auto socket = io::UdpSocket::adopt(scope_.loop(), std::move(*fd), port->gone);
    if (!socket) return nullptr;
    port->socket.emplace(std::move(*socket));
    Port& opened = *ports_.emplace_back(std::move(port));
    scope_.spawn(read(opened));
    return &opened;
}

void Upstream::send(Try& one, std::vector<std::byte>& query) {
    if (sending_ == nullptr) sending_ = port();
    one.upstream = this;
    one.sent = scope_.loop().now();
    one.by_stream = false;
    if (sending_ == nullptr) return hooks_.failed(one, Lost::unreachable);
    Port& from = *sending_;
    from.tries.add(one, static_cast<std::uint16_t>(randoms_.next()));
    put_id(query, one.id);
    from.queue[from.queued++] = {.peer = {}, .local = {}, .bytes = query};
    numbers_.of(Passed::sent).add(1);
    if (from.queued == from.queue.size()) flush();
}

void Upstream::flush() {
    if (sending_ == nullptr) return;
    Port& from = *std::exchange(sending_, nullptr);
    from.questions += static_cast<std::uint32_t>(from.queued);
    from.socket->send(std::span(from.queue).first(from.queued));  // what a full socket did not take is asked again
    from.queued = 0;
    if (from.questions >= questions_a_port) from.retired = true;
    if (from.retired && from.tries.empty()) from.gone.request();
}

io::Task<void> Upstream::read(Port& port) {
    for (bool open = true; open && !port.gone.requested();) {
        const auto datagrams = port.socket->receive(batch_);
        for (const io::Datagram& datagram : datagrams) received(port, datagram.bytes);
        if (port.socket->take_refusal()) fail_all(port.tries, Lost::unreachable);
        hooks_.batch_ends();
        const bool idle = port.tries.empty() && port.queued == 0;
        if (port.retired && idle) break;
        if (datagrams.size() == io::DatagramBatch::capacity) {
            co_await io::Yield{scope_.loop()};
            continue;
        }
        const io::Wait waited = co_await port.socket->readable(scope_.loop().in(port_idle));
        open = waited == io::Wait::ready || (waited == io::Wait::timeout && !(port.tries.empty() && port.queued == 0));
    }
    if (sending_ == &port) sending_ = nullptr;
    std::erase_if(ports_, [&port](const auto& one) { return one.get() == &port; });
}

void Upstream::fail_all(Tries& tries, Lost why) {
    tries.for_each([&](Try& one) {
        one.in->remove(one);
        hooks_.failed(one, why);
    });
}

void Upstream::received(Port& port, Bytes message) {
    const auto header = read_header(message);
    Try* one = header ? port.tries.find(header->id) : nullptr;
    const auto response = one != nullptr ? read_response(message) : std::nullopt;
    const bool fits = response && answers(*response, *one);
    if (fits && repeats(response->question, *one)) {
        port.tries.remove(*one);
        answered_in(scope_.loop().now() - one->sent);
        return hooks_.answered(*one, message);
    }
    numbers_.of(Passed::forged).add(1);
    if (fits) {  // but for a letter's case: who guessed all the rest may guess that too
        port.tries.remove(*one);
        hooks_.failed(*one, Lost::forged);
    }
    if (++port.forgeries < forgeries_a_port || port.retired) return;
    // Somebody guesses: what is under way here is asked again where guessing doesn't help.
    port.retired = true;
    if (sending_ == &port) sending_ = nullptr;
    fail_all(port.tries, Lost::forged);
}

// ---- By a stream (RFC 7766, RFC 7858).

void Upstream::send_by_stream(Try& one, std::vector<std::byte>& query) {
    one.upstream = this;
    one.sent = scope_.loop().now();
    one.by_stream = true;
    const bool fresh = link_ == nullptr;
    if (fresh) link_ = std::make_unique<Link>();
    Link& link = *link_;
    link.tries.add(one, static_cast<std::uint16_t>(randoms_.next()));
    put_id(query, one.id);
    numbers_.of(Passed::streamed).add(1);
    std::array<std::byte, 2> length;
    ByteWriter(length).u16(static_cast<std::uint16_t>(query.size()));
    link.waiting.insert(link.waiting.end(), length.begin(), length.end());
    link.waiting.insert(link.waiting.end(), query.begin(), query.end());
    if (fresh) return scope_.spawn(run(link));
    if (!link.connected) return;
    // One that does not take a question is of no use; who waits on it asks elsewhere.
    const bool sent = !link.stream->blocked() && link.stream->write(link.waiting) == io::Io::ok;
    link.waiting.clear();
    if (!sent) link.gone.request();
}

io::Task<bool> Upstream::connect(Link& link) {
    const io::Deadline deadline = scope_.loop().in(connect_within);
    auto connected = co_await io::connect_tcp(scope_.loop(), link.gone, server_.address, {}, deadline);
    if (!connected) co_return false;
    link.stream.emplace(std::move(*connected));
    if (!server_.tls) co_return true;
    if (!tls_) co_return false;
    link.stream->attach(tls_->connect(server_.name));
    const io::Handshake shaken = co_await io::handshake(*link.stream, deadline);
    co_return shaken.failure == io::TlsFailure::none;
}

io::Task<void> Upstream::run(Link& link) {
    const bool usable = co_await connect(link);
    if (usable) {
        link.connected = true;
        bool good = link.stream->write(std::exchange(link.waiting, {})) == io::Io::ok;
        while (good && !link.gone.requested()) {
            const io::Got got = link.stream->read(scope_.loop().buffer());
            if (got.io == io::Io::ok) {
                good = take_messages(link, Bytes(scope_.loop().buffer()).first(got.bytes));
                hooks_.batch_ends();
            } else if (got.io == io::Io::again) {
                const io::Wait waited = co_await link.stream->readable(scope_.loop().in(stream_idle));
                good = waited == io::Wait::ready;  // a stream without an answer for so long has none to give
                if (link.stream->blocked()) good = good && link.stream->flush() != io::Io::failed;
            } else {
                good = false;
            }
        }
    }
    end(link);
}

// Messages of two octets of length each, in any pieces. False: what came is none.
bool Upstream::take_messages(Link& link, Bytes bytes) {
    link.partial.insert(link.partial.end(), bytes.begin(), bytes.end());
    ByteReader rest(link.partial);
    std::size_t taken = 0;
    for (;;) {
        const auto size = rest.u16();
        const auto message = size ? rest.take(*size) : std::nullopt;
        if (!message) break;
        taken += 2 + message->size();
        const auto header = read_header(*message);
        Try* one = header ? link.tries.find(header->id) : nullptr;
        if (one == nullptr) continue;  // an answer that nobody waits for any more
        const auto response = read_response(*message);
        if (!response || !answers(*response, *one)) return false;
        // Nobody forges what comes here: one that writes names its own way has begun to, or always has.
        if (!repeats(response->question, *one)) keeps_case_ = false;
        link.tries.remove(*one);
        link.answered = true;
        answered_in(scope_.loop().now() - one->sent);
        hooks_.answered(*one, *message);
    }
    link.partial.erase(link.partial.begin(), link.partial.begin() + static_cast<std::ptrdiff_t>(taken));
    return true;
}

void Upstream::end(Link& link) {
    const auto own = std::move(link_);  // a try that fails may open another at once
    fail_all(link.tries, link.answered ? Lost::ended : Lost::unreachable);
    hooks_.batch_ends();
}

void Upstream::close() {
    flush();
    for (const auto& port : ports_) {
        port->retired = true;
        port->gone.request();
    }
    if (link_) link_->gone.request();
}

}  // namespace sallyport::dns
