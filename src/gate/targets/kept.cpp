#include "gate/targets/kept.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::gate {

std::optional<TargetConnection> KeptConnections::take(const TargetState& target, bool tls, std::string_view server_name,
                                                      const egress::Sources& sources, Duration younger_than,
                                                      io::Cancellation& for_session) {
    const auto found = waiting_.find(&target);
    if (found == waiting_.end()) return std::nullopt;
    auto& of_target = found->second;
    for (std::size_t i = of_target.size(); i-- > 0;) {
        Waiting& waiting = of_target[i];
        if (loop_.now() - waiting.since > younger_than) return std::nullopt;  // so are all before it
        const TargetConnection& kept = waiting.connection;
        if (kept.tls != tls || kept.server_name != server_name || kept.sources != sources) continue;
        std::optional<TargetConnection> taken(std::move(waiting.connection));
        of_target.erase(of_target.begin() + static_cast<std::ptrdiff_t>(i));
        --count_;
        if (!taken->quiet()) continue;  // the target has ended it meanwhile
        for_session.bind(taken->stream.watched());
        return taken;
    }
    return std::nullopt;
}

void KeptConnections::put(TargetConnection connection) {
    if (closed_ || count_ >= most || connection.epoch != epoch_ || !connection.quiet()) return;
    auto& of_target = waiting_[connection.lease.target()];
    if (of_target.size() >= most_of_target) return;
    scope_.cancellation().bind(connection.stream.watched());
    of_target.push_back({std::move(connection), loop_.now()});
    ++count_;
    if (!std::exchange(looking_, true)) scope_.spawn(look_after());
}

void KeptConnections::clear() {
    ++epoch_;
    waiting_.clear();
    count_ = 0;
}

io::Task<void> KeptConnections::close() {
    closed_ = true;
    clear();
    scope_.cancel();
    co_await scope_.join();
}

// While any waits. Between two looks a target's end of a connection is only noted; then its descriptor is given back.
io::Task<void> KeptConnections::look_after() {
    while (count_ > 0 && !closed_) {
        co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(looked_at_every));
        drop_old();
    }
    looking_ = false;
}

void KeptConnections::drop_old() {
    for (auto& [target, of_target] : waiting_) {
        count_ -= std::erase_if(of_target, [this](const Waiting& waiting) {
            return loop_.now() - waiting.since >= kept_for || !waiting.connection.quiet();
        });
    }
}

}  // namespace sallyport::gate
