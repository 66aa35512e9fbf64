// The listening sockets of one loop: takes what comes in and hands it on.
//
// When there is no room, in the descriptor table or by the gateway's own count, connections stay in the kernel's queue
// and are taken up later; a removed listener serves what has queued up before it closes.
#pragma once

#include "io/scope.hpp"
#include "io/sockets.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace sallyport::listeners {

/// What a listener is to those who serve its connections.
struct Listener {
    std::uint64_t id = 0;  // unique while the program runs
    std::string address;   // as in the configuration: how records name it
    std::string owner;     // "listen.https"
    bool tls = false;      // the client begins with a handshake
    int kind = 0;          // the handler's own tag

    bool operator==(const Listener&) const = default;
};
/// Connections hold on to the listener they came by as it was then.
using ListenerHandle = std::shared_ptr<const Listener>;

struct Hooks {
    /// Takes each connection. Called in the loop's turn.
    std::function<void(const ListenerHandle&, io::Accepted&&)> accepted;
    /// Is there room for one connection more? Asked before each, and on no again after `retry_after`. Absent: always.
    std::function<bool()> capacity{};
    /// What an admin should know: there is no room for connections (at most once per `trouble_every`), or a listener
    /// could not be watched and is closed.
    std::function<void(const Listener&, const std::string& what)> trouble{};
};

/// Belongs to the thread of its loop.
class LoopListeners {
public:
    static constexpr unsigned accepts_a_turn = 64;  // of one listener; then others get their turn
    static constexpr std::chrono::milliseconds retry_after{50};
    static constexpr std::chrono::seconds trouble_every{10};
    /// How long a removed listener serves its queue at the most; what waits then is reset by the kernel.
    static constexpr std::chrono::seconds removed_within{5};

    LoopListeners(io::Loop& loop, Hooks hooks);
    LoopListeners(const LoopListeners&) = delete;
    LoopListeners& operator=(const LoopListeners&) = delete;

    /// @param fd  a listening socket, TCP or Unix
    void add(Listener listener, io::Fd fd);
    /// The same socket under another tag, from the next connection on. The id says which.
    void retag(Listener listener);
    /// It serves its queue, then it closes.
    void remove(std::uint64_t id);
    /// Removes all and waits until they are closed. What is added later is closed at once. Awaited before destruction.
    io::Task<void> close_all();

    /// For what other threads post to the loop: expires with this object.
    std::weak_ptr<LoopListeners*> handle() const { return self_; }

private:
    struct Open {
        explicit Open(Listener as) : listener(std::make_shared<const Listener>(std::move(as))) {}

        ListenerHandle listener;
        io::Cancellation removed;  // wakes who waits for connections
        std::optional<io::Acceptor> acceptor;
        io::Deadline until = io::Deadline::none;  // once removed
    };
    enum class Took : std::uint8_t { all, fair_share, no_room };

    io::Task<void> serve(Open& open);
    Took take_some(Open& open);
    void remove(Open& open);
    void tell_no_room(const Listener& listener, const char* why);

    io::Loop& loop_;
    Hooks hooks_;
    std::map<std::uint64_t, std::unique_ptr<Open>> open_;  // by Listener::id
    std::optional<SteadyTime> told_no_room_;
    bool closed_ = false;
    io::Scope scope_;
    std::shared_ptr<LoopListeners*> self_ = std::make_shared<LoopListeners*>(this);
};

}  // namespace sallyport::listeners
