#include "turn/relay_ports.hpp"

#include "base/bytes.hpp"
#include "crypto/hash.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sallyport::turn {

std::uint64_t random_number() {
    std::array<std::byte, 8> bytes;
    crypto::fill_random(bytes);
    std::uint64_t out = 0;
    std::memcpy(&out, bytes.data(), bytes.size());
    return out;
}

std::optional<std::uint64_t> Reservations::keep(const SocketAddress& own, int socket, std::string_view user,
                                                SteadyTime now) {
    const std::uint64_t token = random_number() | 1;  // 0 means none
    Kept kept{own, socket, now + lifetime, std::string(user)};
    const std::lock_guard lock(mutex_);
    if (kept_.size() >= most || !kept_.emplace(token, std::move(kept)).second) return std::nullopt;
    return token;
}

std::optional<Reservations::Kept> Reservations::take(std::uint64_t token, SteadyTime now) {
    const std::lock_guard lock(mutex_);
    const auto found = kept_.find(token);
    if (found == kept_.end() || found->second.until <= now) return std::nullopt;
    Kept kept = std::move(found->second);
    kept_.erase(found);
    return kept;
}

std::vector<Reservations::Kept> Reservations::take_expired(SteadyTime now) {
    std::vector<Kept> out;
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [&](const auto& entry) {
        const bool over = entry.second.until <= now;
        if (over) out.push_back(entry.second);
        return over;
    });
    return out;
}

std::size_t Reservations::size() const {
    const std::lock_guard lock(mutex_);
    return kept_.size();
}

std::size_t Reservations::size_of(std::string_view user) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::ranges::count_if(kept_, [&](const auto& entry) { return entry.second.user == user; }));
}

PortPicker::PortPicker(std::uint16_t first, std::uint16_t last)
    : first_(first), size_(last - first + 1U), start_(static_cast<std::uint32_t>(random_number() % size_)) {}

std::optional<std::uint16_t> PortPicker::next() {
    if (tries_ == std::min(size_, most_tries)) return std::nullopt;
    // A small range is gone through from a random place, so that its last free port is found.
    const std::uint32_t place =
        size_ <= most_tries ? (start_ + tries_) % size_ : static_cast<std::uint32_t>(random_number() % size_);
    ++tries_;
    return static_cast<std::uint16_t>(first_ + place);
}

}  // namespace sallyport::turn
