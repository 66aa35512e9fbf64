// What the running gateway shares with others by the Redis of [shared]: the guard's entries, and source addresses.
#include "cli/daemon.hpp"

#include "config/redis_url.hpp"
#include "egress/shared_line.hpp"
#include "io/sockets.hpp"
#include "net/dial.hpp"

#include <chrono>
#include <utility>

namespace sallyport::cli {

namespace {

using telemetry::Level;

enum SharedList : std::size_t { bans, sources };  // by their places

share::List shared_bans(guard::Guard& guard) {
    return {.key = std::string(guard::shared_key),
            .hear =
                [&guard](std::string_view text, const share::List::Judge& judge) {
                    const auto row = guard::parse_line(text);
                    if (row && judge(guard::line_of(*row))) guard.hear(*row);
                },
            .mine =
                [&guard] {
                    std::vector<share::Line> lines;
                    for (const auto& row : guard.rows()) lines.push_back(guard::line_of(row));
                    return lines;
                }};
}

share::List shared_sources(egress::Registry& registry) {
    return {.key = std::string(egress::shared_key),
            .hear =
                [&registry](std::string_view text, const share::List::Judge& judge) {
                    const auto line = egress::parse_shared_line(text);
                    if (line && judge(line->known)) registry.hear(line->line);
                },
            .mine =
                [&registry] {
                    std::vector<share::Line> lines;
                    for (const auto& line : registry.lines())
                        lines.push_back(egress::shared_line(line, registry.remember_for()));
                    return lines;
                }};
}

}  // namespace

void Daemon::share_lists() {
    if (config().shared.redis.value.empty()) return;
    const auto url = config::parse_redis_url(config().shared.redis.value);
    if (!url) return;  // the schema's check has refused it
    const auto changed = [this](const std::string& why) {
        if (why.empty())
            event(Level::info, "bans are shared with other gateways");
        else
            event(Level::warn, "bans are not shared: the Redis is of no use", {{"error", why}});
    };
    share_.emplace(*loop_,
                   share::Share::Options{
                       .connect = [this, url = *url](io::Cancellation& stopped) { return connect_redis(url, stopped); },
                       .user = url->user,
                       .password = url->password,
                       .database = url->database,
                       .lists = {shared_bans(*guard_), shared_sources(*egress_)},
                       .node = node_,
                       .own = [this] { return announced_addresses(); },
                       .met = [this] { guard_->apply(guard_policy()); },
                       .changed = changed});
    guard_->share_by([this](share::Line line) { share_->tell(SharedList::bans, std::move(line)); });
    scope_.spawn(share_->run(scope_.cancellation()));
}

// From the registry's start on; whom it gave what before there was a Redis is told when there is one.
void Daemon::tell_source(const store::EgressLine& line) {
    if (share_) share_->tell(SharedList::sources, egress::shared_line(line, egress_->remember_for()));
}

// To the one that the gateway was started with, whose password it has: a reload does not move it to another.
io::Task<Result<io::Stream>> Daemon::connect_redis(config::RedisUrl url, io::Cancellation& cancellation) {
    constexpr Duration within = std::chrono::seconds(5);
    net::DialPlan plan;
    if (const auto address = IpAddress::parse(url.host)) {
        plan.addresses.push_back({*address, url.port});
    } else {
        const auto found = co_await net::resolve_on(*worker_, *loop_, cancellation, url.host);
        if (!found) co_return fail(found.error());
        for (const IpAddress& one : *found) plan.addresses.push_back({one, url.port});
    }
    auto stream = co_await net::dial(*loop_, cancellation, std::move(plan), loop_->in(within));
    if (!stream) co_return fail("can't connect to " + url.host + ":" + std::to_string(url.port));
    co_return std::move(*stream);
}

// As other gateways may meet this one: from outside it has the addresses that an outer NAT gives it.
std::vector<IpAddress> Daemon::announced_addresses() const {
    std::vector<IpAddress> out;
    for (const auto& mapping : config().node.nat_map) out.push_back(mapping.value.outside);
    for (const IpAddress& own : io::own_addresses()) out.push_back(own);
    return out;
}

}  // namespace sallyport::cli
