#include "listeners/loop_listeners.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport::listeners {

namespace {

// What became of one connection while it waited, told by accept(2) in its place: the next one may be well.
constexpr std::array of_one_connection{ECONNABORTED, EINTR,        EPROTO,     EPERM,       ENETDOWN, ENETUNREACH,
                                       EHOSTDOWN,    EHOSTUNREACH, EOPNOTSUPP, ENOPROTOOPT, ENONET,   ETIMEDOUT};

}  // namespace

LoopListeners::LoopListeners(io::Loop& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)), scope_(loop) {
    if (!hooks_.capacity) hooks_.capacity = [] { return true; };
    if (!hooks_.trouble) hooks_.trouble = [](const Listener&, const std::string&) {};
}

void LoopListeners::add(Listener listener, io::Fd fd) {
    if (closed_) return;
    auto open = std::make_unique<Open>(std::move(listener));
    auto acceptor = io::Acceptor::adopt(loop_, std::move(fd), open->removed);
    if (!acceptor) {
        hooks_.trouble(*open->listener, acceptor.error().message);
        return;
    }
    open->acceptor.emplace(std::move(*acceptor));
    Open& added = *open;
    open_.emplace(added.listener->id, std::move(open));
    scope_.spawn(serve(added));
}

void LoopListeners::retag(Listener listener) {
    const auto found = open_.find(listener.id);
    if (found != open_.end()) found->second->listener = std::make_shared<const Listener>(std::move(listener));
}

void LoopListeners::remove(std::uint64_t id) {
    const auto found = open_.find(id);
    if (found != open_.end()) remove(*found->second);
}

void LoopListeners::remove(Open& open) {
    if (open.removed.requested()) return;
    open.until = loop_.in(removed_within);
    open.removed.request();
}

io::Task<void> LoopListeners::close_all() {
    closed_ = true;
    for (auto& [id, open] : open_) remove(*open);
    co_await scope_.join();
}

io::Task<void> LoopListeners::serve(Open& open) {
    for (;;) {
        const Took took = take_some(open);
        const bool removed = open.removed.requested();
        if (removed && (took == Took::all || loop_.now() >= open.until.when())) break;
        if (took == Took::all) {
            co_await open.acceptor->readable(io::Deadline::none);
        } else if (took == Took::fair_share) {
            co_await io::Yield{loop_};
        } else {
            co_await io::Sleep(loop_, scope_.cancellation(), loop_.in(retry_after));
        }
    }
    open_.erase(open.listener->id);
}

LoopListeners::Took LoopListeners::take_some(Open& open) {
    for (unsigned i = 0; i < accepts_a_turn; ++i) {
        if (!hooks_.capacity()) {
            tell_no_room(*open.listener, "the gateway holds as many as it may");
            return Took::no_room;
        }
        auto accepted = open.acceptor->accept();
        if (accepted) {
            hooks_.accepted(open.listener, std::move(*accepted));
        } else if (accepted.error() == EAGAIN) {
            return Took::all;
        } else if (std::ranges::find(of_one_connection, accepted.error()) == std::end(of_one_connection)) {
            tell_no_room(*open.listener, std::strerror(accepted.error()));  // EMFILE, ENFILE, ENOBUFS, ENOMEM
            return Took::no_room;
        }
    }
    return Took::fair_share;
}

void LoopListeners::tell_no_room(const Listener& listener, const char* why) {
    if (told_no_room_ && loop_.now() - *told_no_room_ < trouble_every) return;
    told_no_room_ = loop_.now();
    hooks_.trouble(listener, "connections to " + listener.address + " have to wait: " + why);
}

}  // namespace sallyport::listeners
