#include "egress/registry.hpp"

#include "egress/accounting.hpp"
#include "egress/lease_file.hpp"
#include "io/file_watch.hpp"
#include "io/sockets.hpp"
#include "io/udp.hpp"
#include "io/wait_any.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::egress {

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr Duration writes_every = 1s;
constexpr Duration files_looked_at_every = 5s;  // also where no event tells of a change (network file systems)
constexpr Duration binds_again_after = 5s;
constexpr Duration settings_looked_at_every = 1s;
constexpr Duration forgets_every = 1h;

std::vector<std::vector<DhcpLease>> read_files(const std::vector<fs::path>& files, WallTime now) {
    std::vector<std::vector<DhcpLease>> out;
    for (const fs::path& file : files) out.push_back(read_lease_file(file, now));
    return out;
}

}  // namespace

void Registry::apply(Settings settings) {
    settings_ = std::move(settings);
    clients_ = NetworkSet(settings_.clients);
    book_.apply(settings_.policy);
    settings_changed_.raise();
    options_.outdated({});
}

void Registry::remember(store::EgressLines& lines) {
    keeper_.emplace(lines);
    if (const auto loaded = keeper_->load(book_, people_); !loaded) options_.trouble(loaded.error().message);
    options_.outdated({});
}

Choice Registry::choose(const IpAddress& client) {
    if (!clients_.empty() && !clients_.contains(client)) return {};
    Choice choice = book_.choose(people_.behind(client), loop_.wall());
    follow_changes();
    return choice;
}

Choice Registry::look(const IpAddress& client) const {
    if (!clients_.empty() && !clients_.contains(client)) return {};
    return book_.look(people_.behind(client));
}

NatMap Registry::nat_map() {
    for (const IpAddress& address : people_.addresses()) choose(address);
    return egress::nat_map(book_, people_);
}

Result<void> Registry::pin(const Pin& pin) {
    for (const Pin& configured : settings_.policy.pins) {
        if (configured.subject() == pin.subject() && configured.source.is_v4() == pin.source.is_v4())
            return fail(pin.subject() + " is pinned by the configuration");
    }
    if (!book_.pin(pin, loop_.wall())) return fail("there are as many pins as there may be");
    settle({});
    return {};
}

bool Registry::unpin(const std::string& subject, Family family) {
    const bool was_there = book_.unpin(subject, family, loop_.wall());
    settle({});
    return was_there;
}

void Registry::hear(const store::EgressLine& line) {
    const auto lease = lease_of(line);
    const auto since = lease ? std::optional(lease->since) : gone_of(line);
    const WallTime latest = loop_.wall() + clock_ahead;
    if (!since || *since > latest || (lease && lease->seen > latest)) return;  // or it would hardly ever be forgotten
    if (lease && !settings_.policy.pool.contains(lease->source)) return;
    hearing_ = true;  // nobody need be told of it again
    if (egress::hear(line, book_)) heard_ = true;
    follow_changes();
    hearing_ = false;
}

std::vector<store::EgressLine> Registry::lines() const {
    std::vector<store::EgressLine> out;
    for (const auto& [who, lines] : book_.leases()) {
        for (const Family family : families) {
            if (const auto& line = lines[static_cast<std::size_t>(family)])
                out.push_back(line_of({who, family, false, line}));
        }
    }
    for (const auto& [pin, lease] : book_.pinned())
        out.push_back(line_of({pin.subject(), family_of(pin.source), true, lease}));
    for (const auto& [key, since] : book_.gone())
        out.push_back(line_of({key.first, key.second, true, std::nullopt, since}));
    return out;
}

// After a change of who is behind these addresses, or, without any, of what is given at all.
void Registry::settle(const std::vector<IpAddress>& changed) {
    follow_changes();
    if (keeper_) {
        for (const IpAddress& address : changed) {
            const auto stay = people_.stays().find(address);
            keeper_->note(address, stay == people_.stays().end() ? nullptr : &stay->second);
        }
    }
    options_.outdated(changed);
}

void Registry::follow_changes() {
    for (const Change& change : book_.take_changes()) {
        if (keeper_) keeper_->note(change);
        if (options_.tell && !hearing_ && (change.lease || change.gone)) options_.tell(line_of(change));
    }
}

// ---- Leases files.

io::Task<void> Registry::read_leases() {
    const std::vector<fs::path> files = settings_.leases;
    if (files.empty()) co_return;
    io::Cancellation none;
    auto read =
        co_await options_.files->run(loop_, none, [files, now = loop_.wall()] { return read_files(files, now); });
    if (!read || files != settings_.leases) co_return;
    std::vector<IpAddress> changed;
    for (std::size_t i = 0; i < read->size(); ++i) {
        const auto news = people_.set_leases(i, (*read)[i]);
        changed.insert(changed.end(), news.begin(), news.end());
    }
    if (!changed.empty()) settle(changed);
}

io::Task<void> Registry::follow_leases(io::Cancellation& cancellation) {
    while (!cancellation.requested()) {
        const std::vector<fs::path> files = settings_.leases;
        auto watch = io::FileWatch::create(files);
        io::Watched* watched = watch ? loop_.watch(watch->fd(), cancellation, false) : nullptr;
        if (watched == nullptr) {
            options_.trouble("leases files are not followed: " + (watch ? "epoll refuses" : watch.error().message));
            co_return;
        }
        co_await read_leases();
        while (files == settings_.leases && !cancellation.requested()) {
            co_await io::WaitAny<1>(loop_.in(files_looked_at_every), {{{watched, io::Interest::read}}});
            watched->readable = false;
            if (!watch->changed().empty()) co_await read_leases();
        }
        loop_.unwatch(watched);
    }
}

// ---- RADIUS accounting.

io::Task<void> Registry::take_accounting(io::Cancellation& cancellation) {
    while (!cancellation.requested()) {
        if (const auto address = settings_.radius)
            co_await listen_for_accounting(cancellation, *address);
        else
            co_await io::Sleep(loop_, cancellation, loop_.in(settings_looked_at_every));
    }
}

io::Task<void> Registry::listen_for_accounting(io::Cancellation& cancellation, config::ListenAddress address) {
    auto fd = io::bind_udp(address.address, {.v4_too = address.dual_stack});
    auto socket = fd ? io::UdpSocket::adopt(loop_, std::move(*fd), cancellation) : std::unexpected(fd.error());
    if (!socket) {
        options_.trouble("no RADIUS accounting: " + socket.error().message);
        co_await io::Sleep(loop_, cancellation, loop_.in(binds_again_after));
        co_return;
    }
    io::DatagramBatch batch;
    while (settings_.radius == address && !cancellation.requested()) {
        co_await socket->readable(loop_.in(settings_looked_at_every));
        std::vector<std::vector<std::byte>> answers(io::DatagramBatch::capacity);
        std::vector<io::Datagram> sent;
        const auto datagrams = socket->receive(batch);
        for (const io::Datagram& one : datagrams) {
            auto& answer = answers[sent.size()];
            if (!one.truncated) take_packet(one.peer.ip, one.bytes, answer);
            if (!answer.empty())
                sent.push_back({.peer = one.peer, .local = one.local, .bytes = answer, .link = one.link});
        }
        socket->send(sent);  // one that is lost will be asked for again
        // Whoever floods the port holds up nothing else on this loop.
        if (datagrams.size() == io::DatagramBatch::capacity) co_await io::Yield{loop_};
    }
}

void Registry::take_packet(const IpAddress& from, Bytes bytes, std::vector<std::byte>& answer) {
    const auto said = read_genuine(bytes, settings_.radius_secret);
    if (!said) {
        if (++forged_ == 1)
            options_.trouble("RADIUS accounting from " + from.to_string() +
                             " is not believed: it was not made with our secret");
        return;
    }
    if (const auto changed = note(*said, from, loop_.wall(), people_); !changed.empty()) settle(changed);
    const auto response = acknowledge(*said, settings_.radius_secret);
    answer.assign(response.begin(), response.end());
}

// ---- Time.

io::Task<void> Registry::keep_time(io::Cancellation& cancellation) {
    SteadyTime next_forgetting = loop_.now() + forgets_every;
    while (co_await io::Sleep(loop_, cancellation, loop_.in(writes_every)) == io::Wait::timeout) {
        if (const auto gone = people_.expire(loop_.wall()); !gone.empty()) settle(gone);
        if (std::exchange(heard_, false)) settle({});
        if (loop_.now() >= next_forgetting) {
            book_.expire(loop_.wall());
            follow_changes();
            next_forgetting = loop_.now() + forgets_every;
        }
        if (!keeper_) continue;
        if (const auto failed = keeper_->write()) options_.trouble(*failed);
    }
    if (!keeper_) co_return;
    if (const auto failed = keeper_->write_all()) options_.trouble(*failed);
}

}  // namespace sallyport::egress
