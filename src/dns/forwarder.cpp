#include "dns/forwarder.hpp"

#include "dns/pass_back.hpp"
#include "dns/pass_on.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>
#include <utility>

namespace sallyport::dns {

using telemetry::Reason;

namespace {

constexpr std::uint32_t explore_one_in = 64;  // questions go to another upstream than the fastest
constexpr std::chrono::seconds last_resort_every{1};  // while all fail, one question so often goes out all the same
constexpr std::uint32_t rebind_ttl = 60;  // seconds

// Is this no answer but a sign that it is the wrong one who was asked? A name server that asks nobody else itself and
// does not have the name says who may know, if anything (RFC 1034 section 4.3.1).
bool may_be_bettered(const Header& header) {
    const auto rcode = static_cast<Rcode>(header.flags & flag::rcode);
    if (rcode == Rcode::serv_fail || rcode == Rcode::refused || rcode == Rcode::not_imp) return true;
    const bool knows = header.answers > 0 || header.has(flag::authoritative | flag::recursion_available);
    return rcode == Rcode::no_error && !knows;
}

}  // namespace

Forwarder::Forwarder(io::Loop& loop, std::function<void()> batch_ends)
    : loop_(loop),
      scope_(loop),
      batch_ends_(std::move(batch_ends)),
      hooks_{.answered = [this](Try& one, Bytes message) { answered(one, message); },
             .failed = [this](Try& one, Lost why) { failed(one, why); },
             .batch_ends =
                 [this] {
                     flush();
                     batch_ends_();
                 }},
      cache_(0, {}),
      groups_(std::make_shared<const Upstreams>()) {}

Forwarder::~Forwarder() = default;

void Forwarder::adopt(const Zones& zones, std::shared_ptr<const io::TlsClient> tls) {
    Upstreams groups;
    std::unique_lock change(upstreams_change_);
    for (auto& [name, upstream] : upstreams_) upstream->wanted = false;
    for (const UpstreamGroup& group : zones.groups()) {
        auto& of_group = groups.emplace_back();
        for (const auto& server : group.servers) {
            auto& upstream = upstreams_[server.to_string()];
            if (!upstream) upstream = std::make_unique<Upstream>(scope_, server, randoms_, batch_, hooks_);
            upstream->wanted = true;
            upstream->set_tls(tls);
            of_group.push_back(upstream.get());
        }
    }
    change.unlock();
    for (auto& [name, upstream] : upstreams_) {
        if (upstream->wanted)
            look_after(*upstream);  // it may have been left failing when it was wanted last
        else
            upstream->close();
    }
    cache_.resize(zones.settings().cache, zones.settings().stale_for);
    cached_ = cache_.size();
    std::vector<std::string> rebind_allow;
    for (const auto& name : zones.settings().rebind_allow) rebind_allow.push_back(name.value.text);
    const bool same_rules = std::exchange(rebind_allow_, rebind_allow) == rebind_allow;
    if (groups == *groups_ && same_rules) return;
    cache_.clear();
    cached_ = 0;
    by_hash_.clear();  // what is under way belongs to the groups of before
    under_way_.for_each([](Exchange& exchange) { exchange.shared = false; });
    groups_ = std::make_shared<const Upstreams>(std::move(groups));
}

Bytes Forwarder::answer_now(const Query& query, const NameKey& key, const Decision& decision, MutableBytes room) {
    if (!is_plain(query)) return {};
    const CacheKey wanted{query.question, key.hash(0), static_cast<std::uint16_t>(decision.group_index),
                          kind_of(query)};
    const Cache::Found found = cache_.find(wanted, loop_.now());
    if (found.age != Cache::Age::fresh && found.age != Cache::Age::ripe) return {};
    count(Event::hit);
    if (found.age == Cache::Age::ripe) refresh(query, wanted, decision);
    return cache_.write(found, room, Asked::of(query), loop_.now());
}

void Forwarder::refresh(const Query& query, const CacheKey& key, const Decision& decision) {
    if (find_under_way(key) != nullptr || count_ >= most_under_way) return;
    count(Event::prefetched);
    scope_.spawn(drive(begin(query, key, decision, true)));
}

void Forwarder::ask(const Query& query, const NameKey& key, const Decision& decision, std::unique_ptr<Waiting> who) {
    count(Event::miss);
    const CacheKey wanted{query.question, key.hash(0), static_cast<std::uint16_t>(decision.group_index),
                          kind_of(query)};
    const bool shared = is_plain(query);
    Exchange* exchange = shared ? find_under_way(wanted) : nullptr;
    if (closing_ || waiting_ >= most_waiting || (exchange == nullptr && count_ >= most_under_way)) {
        count(Event::busy);
        return who->answered({{}, {}, ExtendedError::none, Reason::dns_busy});
    }
    const bool fresh = exchange == nullptr;
    if (fresh)
        exchange = &begin(query, wanted, decision, shared);
    else
        count(Event::joined);
    if (shared && !exchange->stale_at && cache_.find(wanted, loop_.now()).age == Cache::Age::stale)
        exchange->stale_at = loop_.now() + stale_after;
    exchange->waiting.push_back(std::move(who));
    ++waiting_;
    if (fresh) scope_.spawn(drive(*exchange));
}

// Not one that is answered: it is here until its driver has run, and would leave without whoever joins it now.
Exchange* Forwarder::find_under_way(const CacheKey& key) {
    const auto [begin, end] = by_hash_.equal_range(key.hash);
    const auto found = std::find_if(begin, end, [&key](const auto& entry) {
        const Exchange& exchange = *entry.second;
        return !exchange.done && exchange.group == key.group && exchange.kind == key.kind &&
               same_question(exchange.question(), key.question);
    });
    return found == end ? nullptr : found->second;
}

Exchange& Forwarder::begin(const Query& query, const CacheKey& key, const Decision& decision, bool shared) {
    auto* exchange = new Exchange(loop_);  // owned by drive(), through under_way_
    exchange->query = pass_on(query, randoms_);
    exchange->question_size = query.question.size();
    exchange->hash = key.hash;
    exchange->group = key.group;
    exchange->kind = key.kind;
    exchange->shared = shared;
    exchange->private_allowed = decision.private_allowed;
    exchange->upstreams = groups_;
    under_way_.push_back(*exchange);
    ++count_;
    if (shared) by_hash_.emplace(key.hash, exchange);
    return *exchange;
}

// Longer each time that the same one is asked again.
Duration Forwarder::patience_with(const Exchange& exchange, Upstream& upstream) {
    const auto tries = std::span(exchange.tries).first(exchange.tried);
    const auto times = std::ranges::count(tries, &upstream, &Try::upstream);  // this one too
    const auto again = std::max<std::ptrdiff_t>(times - 1, 0);
    return std::min<Duration>(upstream.health().patience() * (1LL << again), Health::most_patience);
}

// From the first sending to the end.
io::Task<void> Forwarder::drive(Exchange& exchange) {
    const io::Deadline last = loop_.in(whole_patience);
    Upstream* upstream = choose(exchange);
    bool by_stream = false;
    while (upstream != nullptr && !exchange.done && !closing_ && exchange.tried < Exchange::most_tries) {
        const bool stream = by_stream || upstream->server().tls;
        send(exchange, *upstream, stream);
        const Duration patience = stream ? Upstream::connect_within : patience_with(exchange, *upstream);
        const io::Deadline until = loop_.in(patience).sooner(last);
        io::Wait waited = io::Wait::timeout;
        while (!exchange.done) {
            const bool stale_due = exchange.stale_at && *exchange.stale_at < until.when();
            waited = co_await exchange.news.wait(stale_due ? io::Deadline::at(*exchange.stale_at) : until);
            if (!stale_due || waited == io::Wait::ready) break;
            if (give_stale(exchange)) batch_ends_();
        }
        if (exchange.done) break;
        if (waited == io::Wait::timeout) {
            // Another one may be waited for: the last has answered, though not well.
            if (exchange.tries[exchange.tried - 1].in != nullptr) upstream->missed();
            look_after(*upstream);
            if (loop_.now() >= last.when()) break;
        }
        by_stream = std::exchange(exchange.truncated, false);
        if (!by_stream) upstream = choose(exchange);
    }
    if (!exchange.done) give_up(exchange);
    end(exchange);
}

// The fastest of those that do well, and another one each time that the question has to be asked again.
Upstream* Forwarder::choose(const Exchange& exchange) {
    if (exchange.only != nullptr) return exchange.tried == 0 ? exchange.only : nullptr;
    const auto& group = (*exchange.upstreams)[exchange.group];
    if (exchange.tried == 0 && group.size() > 1 && randoms_.below(explore_one_in) == 0) {
        Upstream* other = group[randoms_.below(static_cast<std::uint32_t>(group.size()))];
        if (!other->health().failing()) return other;
    }
    const auto rank = [&exchange](const Upstream* one) {
        const auto tries = std::span(exchange.tries).first(exchange.tried);
        const auto asked = std::ranges::count(tries, one, &Try::upstream);
        return std::tuple(one->health().failing(), asked, one->health().round_trip());
    };
    Upstream* best = *std::ranges::min_element(group, {}, rank);
    if (!best->health().failing() || exchange.tried > 0) return best;
    // All fail: a question now and then is tried all the same, the others fail without delay.
    const auto rested = std::ranges::min_element(group, {}, &Upstream::last_resort);
    if (loop_.now() < (*rested)->last_resort() + last_resort_every) return nullptr;
    (*rested)->note_last_resort(loop_.now());
    return *rested;
}

void Forwarder::send(Exchange& exchange, Upstream& upstream, bool by_stream) {
    // Who asks first flushes after the whole batch.
    const bool alone = exchange.tried > 0 || exchange.only != nullptr;
    Try& one = exchange.tries[exchange.tried++];
    one.exchange = &exchange;
    one.upstream = &upstream;
    if (by_stream)
        upstream.send_by_stream(one, exchange.query);
    else
        upstream.send(one, exchange.query);
    if (alone) upstream.flush();
}

void Forwarder::answered(Try& one, Bytes message) {
    Exchange& exchange = *one.exchange;
    if (exchange.done) return;
    const Header header = *read_header(message);
    if (header.has(flag::truncated) && !one.by_stream) {
        exchange.truncated = one.upstream == exchange.tries[exchange.tried - 1].upstream;
        exchange.news.raise();
        return;
    }
    const bool pending = std::ranges::any_of(exchange.tries, [](const Try& other) { return other.in != nullptr; });
    const auto& group = (*exchange.upstreams)[exchange.group];
    const bool more = exchange.tried < std::min(group.size(), Exchange::most_tries);
    if (may_be_bettered(header) && exchange.only == nullptr && (pending || more)) {
        exchange.rejection.assign(message.begin(), message.end());
        if (more) exchange.news.raise();
        return;
    }
    deliver(exchange, message);
}

void Forwarder::failed(Try& one, Lost why) {
    Exchange& exchange = *one.exchange;
    if (why == Lost::unreachable) {
        one.upstream->missed();
        look_after(*one.upstream);
    } else {
        exchange.truncated = true;  // ask the same one by a stream
    }
    exchange.news.raise();
}

void Forwarder::deliver(Exchange& exchange, Bytes message) {
    exchange.done = true;
    exchange.news.raise();
    if (exchange.only != nullptr) return;
    const auto response = read_response(message);
    if (may_be_bettered(response->header) && give_stale(exchange)) return;
    const Examined examined = examine(message, *response);
    if (examined.has_private_address && !exchange.private_allowed) {
        count(Event::rebind);
        std::array<std::byte, max_name + 256> room;
        AnswerWriter writer(room, {.id = 0, .flags = response->header.flags, .question = exchange.question()}, 0);
        writer.start_of_authority(rebind_ttl);
        const Bytes nothing = writer.finish();
        keep(exchange, nothing, examine(nothing, *read_response(nothing)));
        return tell(exchange, {nothing, {}, ExtendedError::filtered, Reason::dns_rebind});
    }
    keep(exchange, message, examined);
    if (examined.malformed) return tell(exchange, {{}, {}, ExtendedError::none, Reason::dns_no_answer});
    std::array<std::byte, 512> options;
    const std::size_t options_size = examined.edns ? copy_options(examined.edns->options, options) : 0;
    if (!examined.has_opt) return tell(exchange, {message, {}, ExtendedError::none, Reason::ok});
    std::vector<std::byte> whole(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(examined.end));
    ByteWriter(MutableBytes(whole).subspan(10)).u16(static_cast<std::uint16_t>(response->header.additionals - 1));
    tell(exchange, {whole, Bytes(options).first(options_size), ExtendedError::none, Reason::ok});
}

void Forwarder::keep(Exchange& exchange, Bytes message, const Examined& examined) {
    if (!exchange.shared) return;
    cache_.store(exchange.key(), message, examined, loop_.now());
    cached_ = cache_.size();
}

ForwarderFacts Forwarder::facts() const {
    ForwarderFacts out{.numbers = {}, .cached = cached_, .upstreams = {}};
    for (std::size_t i = 0; i < out.numbers.events.size(); ++i) out.numbers.events[i] = numbers_.events[i].value();
    const std::lock_guard none_meanwhile(upstreams_change_);
    for (const auto& [name, upstream] : upstreams_) {
        if (upstream->wanted) out.upstreams.push_back(upstream->facts());
    }
    return out;
}

void Forwarder::tell(Exchange& exchange, const Reply& reply) {
    for (const auto& one : std::exchange(exchange.waiting, {})) {
        --waiting_;
        one->answered(reply);
    }
}

// What is past its time, while it goes on to be asked for or can't be had (RFC 8767 section 4). False: there is
// nothing, or nobody waits any more.
bool Forwarder::give_stale(Exchange& exchange) {
    exchange.stale_at.reset();
    if (!exchange.shared || exchange.waiting.empty()) return false;
    const Cache::Found found = cache_.find(exchange.key(), loop_.now());
    if (found.age == Cache::Age::none) return false;
    count(Event::stale);
    tell(exchange, {cache_, found, loop_.now()});
    return true;
}

void Forwarder::give_up(Exchange& exchange) {
    exchange.done = true;
    if (exchange.only != nullptr) return;
    if (exchange.stale_at) give_stale(exchange);
    if (!exchange.rejection.empty()) {
        deliver(exchange, std::exchange(exchange.rejection, {}));
    } else {
        count(Event::failure);
        tell(exchange, {{}, {}, ExtendedError::no_reachable_authority, Reason::dns_no_answer});
    }
    batch_ends_();
}

void Forwarder::end(Exchange& exchange) {
    const auto [begin, last] = by_hash_.equal_range(exchange.hash);
    const auto found = std::find_if(begin, last, [&](const auto& entry) { return entry.second == &exchange; });
    if (found != last) by_hash_.erase(found);
    for (const Try& one : std::span(exchange.tries).first(exchange.tried)) one.upstream->flush();  // it may be queued
    --count_;
    delete &exchange;
}

// ---- Failing upstreams.

void Forwarder::look_after(Upstream& upstream) {
    if (closing_ || !upstream.wanted || !upstream.health().failing()) return;
    if (std::ranges::find(looked_after_, &upstream) != looked_after_.end()) return;
    looked_after_.push_back(&upstream);
    scope_.spawn(probe(upstream));
}

// Asks for the root's name servers, which any name server can say something about.
io::Task<void> Forwarder::probe(Upstream& upstream) {
    constexpr std::array<std::byte, 5> root_ns{std::byte{0}, std::byte{0}, std::byte{type::ns}, std::byte{0},
                                               std::byte{class_in}};
    while (upstream.health().failing() && upstream.wanted && !closing_) {
        const io::Deadline due = io::Deadline::at(upstream.health().next_try());
        if (co_await io::Sleep(loop_, scope_.cancellation(), due) != io::Wait::timeout) break;
        if (!upstream.health().failing() || !upstream.wanted) break;
        upstream.trying();
        const Query query{.header = {.flags = flag::recursion_desired},
                          .question = root_ns,
                          .type = type::ns,
                          .qclass = class_in,
                          .edns = {}};
        Exchange& exchange = begin(query, {}, {}, false);
        exchange.only = &upstream;
        co_await drive(exchange);
    }
    std::erase(looked_after_, &upstream);
}

void Forwarder::flush() {
    for (auto& [name, upstream] : upstreams_) upstream->flush();
}

io::Task<void> Forwarder::close() {
    closing_ = true;
    under_way_.for_each([](Exchange& exchange) { exchange.news.raise(); });
    scope_.cancel();
    for (auto& [name, upstream] : upstreams_) upstream->close();
    co_await scope_.join();
}

}  // namespace sallyport::dns
