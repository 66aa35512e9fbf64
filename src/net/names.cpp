#include "net/names.hpp"

#include "io/worker.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>

namespace sallyport::net {

std::span<const IpAddress> NameTable::find(std::string_view host) const {
    const auto found = hosts.find(host);
    return found == hosts.end() ? std::span<const IpAddress>{} : found->second;
}

Addresses resolve_by_system(const std::string& host) {
    // Not AI_ADDRCONFIG: it hides ::1 on a machine that has no other IPv6 address, and a family that can't be reached
    // costs the dialer nothing.
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int result = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (result != 0) {
        const char* why = result == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(result);
        return fail("can't resolve " + host + ": " + why);
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    std::vector<IpAddress> addresses;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const IpAddress ip = SocketAddress::from(*at->ai_addr).ip;
        if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
    }
    return addresses;
}

io::Task<Addresses> resolve_on(io::Worker& worker, io::Loop& loop, io::Cancellation& cancellation, std::string host) {
    auto done = co_await worker.run(loop, cancellation, [host] { return resolve_by_system(host); });
    if (!done) co_return fail("can't resolve " + host + ": the worker thread takes no more jobs");
    co_return std::move(*done);
}

Names::Names(io::Loop& loop, Options options)
    : loop_(loop), options_(std::move(options)), watched_(loop), answered_(loop), scope_(loop) {
    scope_.spawn(keep_fresh());
}

void Names::watch(std::vector<std::string> hosts) {
    const std::set<std::string> wanted(hosts.begin(), hosts.end());
    bool known_gone = false;
    std::erase_if(hosts_, [&](const auto& entry) {
        if (wanted.contains(entry.first)) return false;
        known_gone = known_gone || !entry.second.addresses.empty();
        return true;
    });
    for (const std::string& host : wanted) hosts_.try_emplace(host, Host{.due = loop_.now(), .addresses = {}});
    if (known_gone) publish();
    watched_.raise();
    answered_.raise();  // who waits for first answers may have nothing left to wait for
}

io::Task<void> Names::first_answers(io::Deadline deadline) {
    const auto answered = [](const auto& entry) { return entry.second.answered; };
    while (!scope_.cancellation().requested() && !std::ranges::all_of(hosts_, answered)) {
        const io::Wait waited = co_await answered_.wait(deadline);
        if (waited != io::Wait::ready) co_return;
    }
}

std::vector<std::string> Names::unresolved() const {
    std::vector<std::string> names;
    for (const auto& [name, host] : hosts_) {
        if (host.answered && host.addresses.empty()) names.push_back(name);
    }
    return names;
}

io::Task<void> Names::close() {
    scope_.cancel();
    watched_.raise();
    answered_.raise();
    co_await scope_.join();
}

// One name at a time: there is one worker, and its other jobs must get their turn between two slow names.
io::Task<void> Names::keep_fresh() {
    io::Cancellation& ended = scope_.cancellation();
    while (!ended.requested()) {
        const auto next = next_due();
        if (next == hosts_.end() || next->second.due > loop_.now()) {
            co_await watched_.wait(next == hosts_.end() ? io::Deadline::none : io::Deadline::at(next->second.due));
            continue;
        }
        const std::string host = next->first;
        auto answer = co_await options_.resolve(host, ended);
        if (!ended.requested()) take(host, std::move(answer));
    }
}

Names::Hosts::iterator Names::next_due() {
    return std::ranges::min_element(hosts_, {}, [](const auto& entry) { return entry.second.due; });
}

void Names::take(const std::string& name, Addresses answer) {
    const auto found = hosts_.find(name);
    if (found == hosts_.end()) return;  // no longer watched
    if (answer && answer->empty()) answer = fail("can't resolve " + name + ": it has no address");
    Host& host = found->second;
    host.answered = true;
    host.due = loop_.now() + (answer ? refresh_after : retry_after);
    if (host.failing == answer.has_value()) {
        host.failing = !answer;
        options_.event({name, answer ? std::string() : answer.error().message, !answer && !host.addresses.empty()});
    }
    if (answer) take_good(host, std::move(*answer));
    answered_.raise();
}

void Names::take_good(Host& host, std::vector<IpAddress> addresses) {
    if (addresses.size() > most_addresses) addresses.resize(most_addresses);
    // A name server that deals out the same addresses in turns has said nothing new.
    if (std::ranges::is_permutation(host.addresses, addresses)) return;
    host.addresses = std::move(addresses);
    publish();
}

void Names::publish() {
    auto table = std::make_shared<NameTable>();
    for (const auto& [name, host] : hosts_) {
        if (!host.addresses.empty()) table->hosts.emplace(name, host.addresses);
    }
    table_ = std::move(table);
    options_.changed(table_);
}

}  // namespace sallyport::net
