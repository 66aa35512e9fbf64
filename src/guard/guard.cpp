#include "guard/guard.hpp"

#include "crypto/hash.hpp"

#include <algorithm>
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
        const bool is_last = waited == io::Wait::cancelled;
        write(is_last);
        if (is_last) co_return;
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

void Guard::write(bool all) {
    if (!keeper_) return;
    const auto trouble = all ? keeper_->write_all(clocks()) : keeper_->write(clocks());
    if (trouble) options_.trouble(*trouble);
}

void Guard::hear(const store::GuardRow& row) {
    hearing_ = true;  // nobody need be told of it again
    if (row.verdict == lifted) {
        hear_lifted(row);
    } else if (was_lifted_since(row)) {
        if (tell_) tell_(line_of(lifted_.at(row.who)));
    } else if (auto entry = entry_of(row, clocks())) {
        const bool too_long = entry->expires != Entry::never && entry->expires - entry->since > shared_for;
        if (!too_long && entry->who.bits() >= shared_width) table_.learn(std::move(*entry), loop_.now());
    }
    settle();
    hearing_ = false;
}

bool Guard::was_lifted_since(const store::GuardRow& row) const {
    const auto known = lifted_.find(row.who);
    if (known == lifted_.end()) return false;
    // To allow is to lift and to allow within one moment.
    return row.verdict == name(Verdict::allow) ? known->second.since_ms > row.since_ms
                                               : known->second.since_ms >= row.since_ms;
}

void Guard::note_lifted(const store::GuardRow& row) {
    if (lifted_.size() >= options_.limits.lists) lifted_.erase(lifted_.begin());
    lifted_.insert_or_assign(row.who, row);
}

void Guard::hear_lifted(const store::GuardRow& row) {
    const auto who = Network::parse(row.who);
    if (who && who->to_string() == row.who && !was_lifted_since(row)) note_lifted(row);
    const Entry* present = who ? table_.at(*who) : nullptr;
    if (present == nullptr || row_of(*present, clocks()).since_ms > row.since_ms) return;
    table_.remove(*who);
}

std::vector<store::GuardRow> Guard::rows() const {
    std::vector<store::GuardRow> out;
    for (const Entry& entry : table_.entries(options_.limits.bans + options_.limits.lists))
        out.push_back(row_of(entry, clocks()));
    for (const auto& [who, row] : lifted_) {
        if (table_.at(*Network::parse(who)) == nullptr) out.push_back(row);
    }
    return out;
}

// What expires, expires everywhere by itself.
void Guard::tell_others(const Change& change) {
    constexpr Duration remembered_for = std::chrono::days(30);
    if (!tell_ || hearing_) return;
    if (change.what == Change::What::added) {
        lifted_.erase(change.entry.who.to_string());
        return tell_(line_of(row_of(change.entry, clocks())));
    }
    if (change.what != Change::What::lifted) return;
    Entry gone = change.entry;
    gone.since = loop_.now();
    gone.expires = std::min(gone.expires, loop_.now() + remembered_for);
    store::GuardRow row = row_of(gone, clocks());
    row.verdict = lifted;
    note_lifted(row);
    tell_(line_of(row));
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
        tell_kernel(change, client);
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
    tell_others(change);
    if (options_.changed) options_.changed(change);
}

// What expires, expires there by itself.
void Guard::tell_kernel(const Change& change, ClientKey client) {
    if (kernel_ == nullptr || change.what == Change::What::expired) return;
    if (change.what == Change::What::added)
        kernel_->ban({client, change.entry.expires});
    else
        kernel_->lift(client);
}

void Guard::enforce_by(KernelBans* kernel) {
    kernel_ = kernel;
    if (kernel_ != nullptr) kernel_->go_by(table_.networks(Verdict::ban), table_.networks(Verdict::allow));
}

void Guard::publish() {
    if (kernel_ != nullptr) kernel_->go_by(table_.networks(Verdict::ban), table_.networks(Verdict::allow));
    options_.publish(std::make_shared<const Bans>(Bans{.index = index_, .lists = table_.lists()}));
}

}  // namespace sallyport::guard
