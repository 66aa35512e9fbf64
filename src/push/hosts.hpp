// What is known of Apple's hosts at present: asked for when they are wanted, once for all who want them, and kept a
// little beyond their time when the name servers fail.
#pragma once

#include "io/event.hpp"
#include "io/scope.hpp"
#include "push/resolve.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace sallyport::push {

/// Belongs to the thread of its loop.
class Hosts {
public:
    using Ask = std::function<io::Task<HostAnswer>(std::string host, io::Cancellation&)>;

    static constexpr std::chrono::hours stale_for{24};
    static constexpr std::size_t most = 4096;  // hosts

    Hosts(io::Loop& loop, Ask ask) : loop_(loop), ask_(std::move(ask)), scope_(loop) {}

    /// What is known and holds; null: find() will ask.
    const HostAnswer* known(const std::string& host) const;
    /// Asks where that is due. The last good answer stands in for one that failed.
    io::Task<HostAnswer> find(std::string host);
    /// Ends the asking. Awaited before destruction.
    io::Task<void> close();

private:
    struct Host {
        HostAnswer answer;
        SteadyTime until;
        SteadyTime good;  // until when it may stand in
        bool asking = false;
        std::vector<io::Event*> waiting = {};
    };

    io::Task<void> refresh(std::string host);
    void take(Host& host, HostAnswer answer);

    io::Loop& loop_;
    Ask ask_;
    std::map<std::string, Host> hosts_;
    io::Scope scope_;
};

}  // namespace sallyport::push
