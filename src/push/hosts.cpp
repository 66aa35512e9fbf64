#include "push/hosts.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::push {

namespace {

using namespace std::chrono_literals;

constexpr Duration answered_within = 10s;
constexpr Duration asks_again_after = 5s;  // where it failed

}  // namespace

const HostAnswer* Hosts::known(const std::string& host) const {
    const auto at = hosts_.find(host);
    if (at == hosts_.end() || at->second.until <= loop_.now()) return nullptr;
    return &at->second.answer;
}

io::Task<HostAnswer> Hosts::find(std::string host) {
    if (const HostAnswer* answer = known(host)) co_return *answer;
    if (hosts_.size() >= most && !hosts_.contains(host)) co_return HostAnswer{.detail = "too many hosts are asked for"};
    Host& wanted = hosts_[host];
    io::Event answered(loop_);
    wanted.waiting.push_back(&answered);
    if (!std::exchange(wanted.asking, true)) scope_.spawn(refresh(host));
    co_await answered.wait(loop_.in(answered_within));
    std::erase(wanted.waiting, &answered);  // map nodes stay where they are while somebody waits
    co_return wanted.answer;
}

io::Task<void> Hosts::refresh(std::string host) {
    HostAnswer answer = co_await ask_(host, scope_.cancellation());
    Host& known = hosts_[host];
    known.asking = false;
    take(known, std::move(answer));
    for (io::Event* one : known.waiting) one->raise();
}

void Hosts::take(Host& host, HostAnswer answer) {
    const SteadyTime now = loop_.now();
    if (answer.state != HostAnswer::State::failed) {
        host.until = now + std::max<Duration>(1s, std::chrono::seconds(answer.ttl));
        host.good = now + stale_for;
        host.answer = std::move(answer);
        return;
    }
    host.until = now + asks_again_after;
    if (host.good <= now) host.answer = std::move(answer);
}

io::Task<void> Hosts::close() {
    scope_.cancel();
    co_await scope_.join();
}

}  // namespace sallyport::push
