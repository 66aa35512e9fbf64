#include "io/udp_burst.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::io {

void UdpBurst::send_one(UdpSocket& socket, const SocketAddress& peer, const IpAddress& local,
                        std::span<const Bytes> pieces) {
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    if (!fits(socket, peer, local, size)) flush();
    if (size == 0 || size > largest) {
        socket.send_one(peer, local, pieces);
        return;
    }
    if (socket_ == nullptr) {
        socket_ = &socket;
        peer_ = peer;
        local_ = local;
        each_ = size;
        size_ = 0;
        is_closed_ = false;
    }
    auto* end = room_.get() + size_;
    for (const Bytes piece : pieces) end = std::ranges::copy(piece, end).out;
    size_ += size;
    is_closed_ = size < each_;
}

bool UdpBurst::fits(const UdpSocket& socket, const SocketAddress& peer, const IpAddress& local,
                    std::size_t size) const {
    return socket_ == &socket && size != 0 && size <= each_ && !is_closed_ && peer_ == peer && local_ == local &&
           size_ + size <= UdpSocket::largest_segments && size_ < each_ * UdpSocket::most_segments;
}

void UdpBurst::flush() {
    if (UdpSocket* const socket = std::exchange(socket_, nullptr))
        socket->send_segments(peer_, local_, Bytes(room_.get(), size_), each_);
}

}  // namespace sallyport::io
