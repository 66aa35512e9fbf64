#include "egress/lookup.hpp"

#include "io/event.hpp"

#include <utility>

namespace sallyport::egress {

namespace {

constexpr Duration answered_within = std::chrono::seconds(5);

struct Asking {
    explicit Asking(io::Loop& loop) : answered(loop) {}
    std::optional<Choice> choice;
    io::Event answered;
};

}  // namespace

void Lookup::enable(bool enabled) {
    enabled_ = enabled && ask_ != nullptr;
    forget({});
}

const Choice* Lookup::known(const IpAddress& client, SteadyTime now) const {
    const auto at = known_.find(client);
    return at == known_.end() || at->second.until <= now ? nullptr : &at->second.choice;
}

io::Task<std::optional<Choice>> Lookup::find(IpAddress client) {
    if (!enabled_) co_return Choice{};
    if (const Choice* choice = known(client, loop_.now())) co_return *choice;
    auto asking = std::make_shared<Asking>(loop_);
    const std::uint64_t before = forgotten_;
    ask_(client, [asking](const Choice& choice) {
        asking->choice = choice;
        asking->answered.raise();
    });
    co_await asking->answered.wait(loop_.in(answered_within));
    if (!asking->choice) co_return std::nullopt;
    if (forgotten_ == before) {
        if (known_.size() >= most_known) known_.clear();
        known_.insert_or_assign(client, Known{*asking->choice, loop_.now() + fresh_for});
    }
    co_return asking->choice;
}

void Lookup::forget(std::span<const IpAddress> clients) {
    ++forgotten_;
    if (clients.empty()) known_.clear();
    for (const IpAddress& client : clients) known_.erase(client);
}

}  // namespace sallyport::egress
