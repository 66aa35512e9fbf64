#include "turn/peer_connection.hpp"

#include "turn/relay_ports.hpp"

#include <utility>

namespace sallyport::turn {

PeerConnection::State PeerConnection::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

bool PeerConnection::connected(int socket) {
    const std::lock_guard lock(mutex_);
    if (state_ != State::connecting) return false;
    state_ = State::waiting;
    socket_ = socket;
    return true;
}

std::optional<int> PeerConnection::take() {
    const std::lock_guard lock(mutex_);
    if (state_ != State::waiting) return std::nullopt;
    state_ = State::carried;
    return std::exchange(socket_, -1);
}

void PeerConnection::carried_by(std::function<void()> hang_up) {
    const std::lock_guard lock(mutex_);
    if (state_ == State::over) return hang_up();
    hang_up_ = std::move(hang_up);
}

std::optional<int> PeerConnection::end() {
    const std::lock_guard lock(mutex_);
    const State before = std::exchange(state_, State::over);
    if (before == State::carried && hang_up_) hang_up_();
    hang_up_ = nullptr;
    return before == State::waiting ? std::optional(std::exchange(socket_, -1)) : std::nullopt;
}

PeerConnectionHandle PeerConnections::add(const SocketAddress& peer, const PeerConnection::Owner& owner) {
    const std::lock_guard lock(mutex_);
    for (;;) {
        const auto id = static_cast<std::uint32_t>(random_number());
        const auto [place, fresh] = all_.try_emplace(id);
        if (fresh) return place->second = std::make_shared<PeerConnection>(id, peer, owner);
    }
}

PeerConnectionHandle PeerConnections::find(std::uint32_t id) const {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    return found == all_.end() ? nullptr : found->second;
}

void PeerConnections::remove(std::uint32_t id) {
    const std::lock_guard lock(mutex_);
    all_.erase(id);
}

std::size_t PeerConnections::size() const {
    const std::lock_guard lock(mutex_);
    return all_.size();
}

}  // namespace sallyport::turn
