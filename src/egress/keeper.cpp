#include "egress/keeper.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

namespace sallyport::egress {

namespace {

using std::chrono::milliseconds;

// Beyond it nanoseconds don't reach.
constexpr std::int64_t most_ms = std::int64_t{100} * 365 * 86'400'000;

std::int64_t unix_ms(WallTime time) {
    return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

std::optional<WallTime> wall(std::int64_t ms) {
    if (ms < 0 || ms > most_ms) return std::nullopt;
    return WallTime{milliseconds(ms)};
}

// The first so many of a map, as a list; `take` is told how many it gave.
template <class Map>
auto first_of(const Map& map, std::size_t most) {
    std::vector<typename Map::mapped_type> out;
    for (auto one = map.begin(); one != map.end() && out.size() < most; ++one) out.push_back(one->second);
    return out;
}

template <class Map>
void drop_first(Map& map, std::size_t count) {
    map.erase(map.begin(), std::next(map.begin(), static_cast<std::ptrdiff_t>(count)));
}

}  // namespace

store::EgressLine line_of(const Change& change) {
    store::EgressLine line{.who = change.who, .pin = change.pin, .v6 = change.family == Family::v6};
    if (change.lease) {
        line.source = change.lease->source.to_string();
        line.since_ms = unix_ms(change.lease->since);
        line.seen_ms = unix_ms(change.lease->seen);
    } else if (change.gone) {
        line.since_ms = unix_ms(*change.gone);
    }
    return line;
}

std::optional<Lease> lease_of(const store::EgressLine& line) {
    const auto source = IpAddress::parse(line.source);
    const auto since = wall(line.since_ms);
    const auto seen = wall(line.seen_ms);
    if (!source || !since || !seen || line.who.empty() || source->is_v4() == line.v6) return std::nullopt;
    return Lease{*source, *since, *seen};
}

std::optional<WallTime> gone_of(const store::EgressLine& line) {
    return line.pin && line.source.empty() ? wall(line.since_ms) : std::nullopt;
}

Result<void> Keeper::load(Book& book, People& people) {
    const auto lines = lines_.lines();
    if (!lines) return fail(lines.error());
    for (const store::EgressLine& line : *lines) { hear(line, book); }
    book.take_changes();  // they are what stands there
    const auto stays = lines_.stays();
    if (!stays) return fail(stays.error());
    for (const store::StayLine& line : *stays) {
        const auto address = IpAddress::parse(line.address);
        const auto heard = wall(line.heard_ms);
        const auto server = IpAddress::parse(line.server);
        if (address && heard && server)
            people.begin_stay(*address, {line.user, line.mac, line.session, *server, *heard});
    }
    return {};
}

bool hear(const store::EgressLine& line, Book& book) {
    if (const auto gone = gone_of(line)) return book.hear_unpin(line.who, line.v6 ? Family::v6 : Family::v4, *gone);
    const auto lease = lease_of(line);
    if (!lease) return false;
    if (!line.pin) return book.hear(line.who, *lease);
    const auto pin = Pin::of_subject(line.who, lease->source);
    return pin && book.hear_pin(*pin, *lease);
}

void Keeper::note(const Change& change) {
    const bool erase = !change.lease && !change.gone;
    due_.insert_or_assign({change.who, change.pin, change.family}, store::LineEdit{line_of(change), erase});
}

void Keeper::note(const IpAddress& address, const Stay* stay) {
    store::StayLine line{.address = address.to_string()};
    if (stay != nullptr) {
        line.user = stay->user;
        line.mac = stay->mac;
        line.session = stay->session;
        line.server = stay->server.to_string();
        line.heard_ms = unix_ms(stay->heard);
    }
    stays_due_.insert_or_assign(address, store::LineEdit{std::move(line), stay == nullptr});
}

std::optional<std::string> Keeper::write() {
    if (due_.empty() && stays_due_.empty()) return std::nullopt;
    const auto lines = first_of(due_, edits_at_once);
    const auto stays = first_of(stays_due_, edits_at_once);
    const auto written = lines_.apply(lines, stays);
    if (written) {
        drop_first(due_, lines.size());
        drop_first(stays_due_, stays.size());
        failing_ = false;
        return std::nullopt;
    }
    if (std::exchange(failing_, true)) return std::nullopt;
    return written.error().message;
}

std::optional<std::string> Keeper::write_all() {
    for (;;) {
        const auto trouble = write();
        if (failing_ || (due_.empty() && stays_due_.empty())) return trouble;
    }
}

}  // namespace sallyport::egress
