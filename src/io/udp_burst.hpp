// Datagrams on their way out that follow one another to one place: they leave together, by one way through the kernel.
//
// A stream of media, or a video frame, comes in a batch and goes out as one; what is sent in between to somebody else,
// or is of another size, ends it.
#pragma once

#include "io/udp.hpp"

#include <cstddef>
#include <memory>
#include <span>

namespace sallyport::io {

class UdpBurst {
public:
    /// Longer ones go alone: cards and tunnels between have no room for them.
    static constexpr std::size_t largest = 1452;  // 1500 - IPv6 - UDP

    /// As UdpSocket::send_one(), at flush() at the latest. The socket may not be closed before.
    void send_one(UdpSocket& socket, const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces);
    void flush();

private:
    bool fits(const UdpSocket& socket, const SocketAddress& peer, const IpAddress& local, std::size_t size) const;

    UdpSocket* socket_ = nullptr;  // null: nothing is gathered
    SocketAddress peer_;
    IpAddress local_;
    std::size_t each_ = 0;  // bytes of all but the last
    std::size_t size_ = 0;  // bytes of all
    bool is_closed_ = false;  // by one that is shorter
    std::unique_ptr<std::byte[]> room_ = std::make_unique_for_overwrite<std::byte[]>(UdpSocket::largest_segments);
};

}  // namespace sallyport::io
