#include "guard/guard.hpp"

#include "crypto/hash.hpp"

#include <chrono>
#include <utility>

namespace sallyport::guard {

namespace {

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    crypto::fill_random(std::as_writable_bytes(std::span(&seed, 1)));
    return seed;
}

}  // namespace

Guard::Guard(io::Loop& loop, Options options)
    : loop_(loop),
      options_(std::move(options)),
      index_(std::make_shared<BanIndex>(options_.limits.bans, random_seed())),
      table_(options_.node, options_.limits) {
    publish();
}

void Guard::collect() {
    for (Lookout* lookout : lookouts_) {
        lookout->rest();
        while (const auto sign = lookout->take()) {
            ++signs_;
            table_.suspect(*sign);
        }
    }
    settle();
}

io::Task<void> Guard::keep_time(io::Cancellation& cancellation) {
    for (;;) {
        const io::Wait waited = co_await io::Sleep(loop_, cancellation, loop_.in(std::chrono::seconds(1)));
        table_.expire(loop_.now());
        settle();
        write();
        if (waited == io::Wait::cancelled) co_return;
    }
}

void Guard::remember(store::GuardEntries& entries) {
    keeper_.emplace(entries);
    auto loaded = keeper_->load(clocks());
    if (!loaded) return options_.trouble(loaded.error().message);
    restoring_ = true;  // nothing of it is news
    for (Entry& entry : *loaded) {
        const Network who = entry.who;
        if (!table_.learn(std::move(entry), loop_.now())) keeper_->forget(who);
    }
    settle();
    restoring_ = false;
}

void Guard::write() {
    if (!keeper_) return;
    if (const auto trouble = keeper_->write(clocks())) options_.trouble(*trouble);
}

void Guard::apply(Policy policy) {
    table_.apply(std::move(policy));
    lists_changed_ = true;
    settle();
}

SteadyTime Guard::term(Duration lasts) const {
    return lasts >= Entry::never - loop_.now() ? Entry::never : loop_.now() + lasts;
}

Result<Entry> Guard::ban(const Network& who, Duration lasts, std::string reason) {
    const auto done = table_.ban(who, term(lasts), std::move(reason), loop_.now());
    settle();
    if (!done) return fail(done.error());
    return *table_.at(who);
}

Result<Entry> Guard::allow(const Network& who, Duration lasts, std::string reason) {
    const auto done = table_.allow(who, term(lasts), std::move(reason), loop_.now());
    settle();
    if (!done) return fail(done.error());
    return *table_.at(who);
}

bool Guard::remove(const Network& who) {
    const bool removed = table_.remove(who);
    settle();
    return removed;
}

std::uint64_t Guard::dropped() const {
    std::uint64_t sum = 0;
    for (const Lookout* lookout : lookouts_) sum += lookout->dropped();
    return sum;
}

// What the table has changed takes effect here, and nowhere else.
void Guard::settle() {
    for (const Change& change : table_.take_changes()) follow(change);
    if (std::exchange(lists_changed_, false)) publish();
}

void Guard::follow(const Change& change) {
    const Entry& entry = change.entry;
    const bool added = change.what == Change::What::added;
    if (entry.verdict == Verdict::ban && is_one_client(entry.who)) {
        const ClientKey client(entry.who.address());
        if (!added)
            index_->erase(client);
        else if (const ClientKey displaced = index_->insert(client); !displaced.is_nobody())
            table_.remove(displaced.network());
    } else {
        lists_changed_ = true;
    }
    if (restoring_) return;
    if (added && entry.verdict == Verdict::ban) ++added_;
    if (keeper_) keeper_->note(change);
    if (options_.changed) options_.changed(change);
}

void Guard::publish() {
    options_.publish(std::make_shared<const Bans>(Bans{.index = index_, .lists = table_.lists()}));
}

}  // namespace sallyport::guard
