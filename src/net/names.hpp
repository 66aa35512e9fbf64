// The addresses of the targets that are given by name. They are asked for beforehand, so that a connection never waits
// for a name: the last good answer is kept for as long as the name is watched, whatever becomes of the name server.
#pragma once

#include "base/address.hpp"
#include "base/result.hpp"
#include "io/event.hpp"
#include "io/scope.hpp"
#include "io/task.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::io {
class Worker;
}

namespace sallyport::net {

/// What is known now. Immutable: the data loops read one while the next is made.
struct NameTable {
    std::map<std::string, std::vector<IpAddress>, std::less<>> hosts;

    /// Empty for a name that has not been resolved, or is not watched.
    std::span<const IpAddress> find(std::string_view host) const;
};

/// A look-up went wrong after it had gone well (or was the first), or goes well again. Once per change.
struct NameEvent {
    std::string host;
    std::string error;    // for people; empty: it resolves again
    bool kept = false;    // an earlier answer stays in use
};

/// At least one address, in the order of preference; an empty answer counts as an error.
using Addresses = Result<std::vector<IpAddress>>;

/// Asks the system (getaddrinfo: /etc/hosts, DNS, whatever nsswitch.conf says). Blocks, for seconds where a name server
/// is silent: for the worker's thread only.
Addresses resolve_by_system(const std::string& host);

/// The same on the worker, awaited on `loop`. An error also when the worker takes no job, or when cancelled.
io::Task<Addresses> resolve_on(io::Worker& worker, io::Loop& loop, io::Cancellation& cancellation, std::string host);

/// Belongs to the control loop, and is used from there alone.
class Names {
public:
    struct Options {
        /// Finds the addresses of one host without blocking the loop: resolve_on(). Ends soon when cancelled.
        std::function<io::Task<Addresses>(std::string host, io::Cancellation& cancellation)> resolve;
        /// Gets each new table.
        std::function<void(std::shared_ptr<const NameTable>)> changed;
        std::function<void(const NameEvent&)> event;
    };

    static constexpr std::chrono::seconds refresh_after{60};
    static constexpr std::chrono::seconds retry_after{5};
    static constexpr std::size_t most_addresses = 16;  // of one name; the others are left out

    Names(io::Loop& loop, Options options);
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

    /// The names to know from now on, as in the configuration. New ones are asked for at once, one after the other;
    /// those that are missing are forgotten, the others keep what is known.
    void watch(std::vector<std::string> hosts);

    /// Waits until each watched name has been asked for, with whatever result. One waiter at a time.
    io::Task<void> first_answers(io::Deadline deadline);

    std::shared_ptr<const NameTable> table() const { return table_; }
    /// Watched names that have been asked for and have no address.
    std::vector<std::string> unresolved() const;

    /// Ends the asking. Awaited before destruction.
    io::Task<void> close();

private:
    struct Host {
        SteadyTime due;  // when to ask
        std::vector<IpAddress> addresses;  // of the last good answer
        bool answered = false;
        bool failing = false;
    };
    using Hosts = std::map<std::string, Host>;

    io::Task<void> keep_fresh();
    Hosts::iterator next_due();
    void take(const std::string& host, Addresses answer);
    void take_good(Host& host, std::vector<IpAddress> addresses);
    void publish();

    io::Loop& loop_;
    Options options_;
    Hosts hosts_;
    std::shared_ptr<const NameTable> table_ = std::make_shared<NameTable>();
    io::Event watched_;  // there are other names to ask for
    io::Event answered_;
    io::Scope scope_;
};

}  // namespace sallyport::net
