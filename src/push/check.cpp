#include "push/check.hpp"

#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "net/dial.hpp"
#include "net/names.hpp"
#include "net/proxy.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <set>
#include <utility>

namespace sallyport::push {

namespace {

using namespace std::chrono_literals;

constexpr Duration connected_within = 5s;
constexpr std::size_t at_once = 16;  // questions, and connections

struct Work {
    io::Loop& loop;
    const Policy& policy;
    const egress::Sources& sources;
    io::Cancellation never = {};
    Checked out = {};
    std::set<IpAddress> found = {};
    std::size_t next = 0;  // of what is being done, shared by all who do it
};

io::Task<void> ask_for_couriers(Work& work, CheckedFamily& family) {
    while (work.next < checked_numbers) {
        const Courier courier{family.family, static_cast<std::uint16_t>(work.next++)};
        HostAnswer answer = co_await ask_for_host(work.loop, work.never, work.policy.servers, courier.host());
        if (answer.state == HostAnswer::State::failed) family.trouble = answer.detail;
        if (answer.state != HostAnswer::State::exists) continue;
        family.couriers.push_back(courier.number);
        work.found.insert(answer.addresses.begin(), answer.addresses.end());
    }
}

std::string words_of(const io::ConnectError& error) {
    constexpr std::array<std::string_view, 5> words{"refused", "no answer", "unreachable", "cancelled", "not tried"};
    std::string out(words[static_cast<std::size_t>(error.failure)]);
    if (error.error != 0) out += std::string(": ") + std::strerror(error.error);
    return out;
}

io::Task<void> connect_to(Work& work, CheckedAddress& one) {
    const SteadyTime began = work.loop.now();
    const io::Deadline deadline = work.loop.in(connected_within);
    net::DialPlan plan{.addresses = {one.to}, .sources = work.sources};
    const config::ProxyUrl* proxy = work.policy.via.empty() ? nullptr : &work.policy.via.front();
    if (proxy != nullptr) {
        const auto address = IpAddress::parse(proxy->host);
        const auto resolved = address ? net::Addresses(std::vector{*address}) : net::resolve_by_system(proxy->host);
        if (!resolved) {
            one.failure = resolved.error().message;
            co_return;
        }
        plan.addresses.clear();
        for (const IpAddress& ip : *resolved) plan.addresses.push_back({ip, proxy->port});
    }
    auto stream = co_await net::dial(work.loop, work.never, std::move(plan), deadline);
    if (stream && proxy != nullptr)
        one.failure = co_await net::open_through(*stream, *proxy, {one.to.ip, one.to.port}, deadline);
    else if (!stream)
        one.failure = words_of(stream.error());
    if (stream) one.source = io::local_address(stream->fd()).ip.to_string();
    one.took = work.loop.now() - began;
}

io::Task<void> try_addresses(Work& work) {
    while (work.next < work.out.addresses.size()) {
        CheckedAddress& one = work.out.addresses[work.next++];
        if (one.allowed) co_await connect_to(work, one);
    }
}

}  // namespace

bool Checked::works() const {
    const auto has_couriers = [](const CheckedFamily& family) { return !family.couriers.empty(); };
    const auto connects = [](const CheckedAddress& one) { return one.allowed && one.failure.empty(); };
    return std::ranges::any_of(families, has_couriers) && std::ranges::any_of(addresses, connects);
}

io::Task<Checked> check(io::Loop& loop, const Policy& policy, egress::Sources sources) {
    Work work{.loop = loop, .policy = policy, .sources = sources};
    io::Scope scope(loop);
    for (const PushFamily wanted : policy.families) {
        CheckedFamily family{.family = wanted};
        work.next = 0;
        for (std::size_t i = 0; i < at_once; ++i) scope.spawn(ask_for_couriers(work, family));
        co_await scope.join();
        std::ranges::sort(family.couriers);
        work.out.families.push_back(std::move(family));
    }
    for (const IpAddress& address : work.found) {
        for (const std::uint16_t port : policy.ports) {
            work.out.addresses.push_back({.to = {address, port},
                                          .via = policy.via.empty() ? "" : policy.via.front().to_string(),
                                          .allowed = policy.allows(address)});
        }
    }
    work.next = 0;
    for (std::size_t i = 0; i < at_once; ++i) scope.spawn(try_addresses(work));
    co_await scope.join();
    co_return std::move(work.out);
}

}  // namespace sallyport::push
