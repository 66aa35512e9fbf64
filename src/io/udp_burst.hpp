// Datagrams on their way out that are gathered while a batch is worked through: those of a socket leave by one system
// call, and those of them that go to one place by one way through the kernel.
//
// A stream of media, or a video frame, comes in a batch and goes out as one; so do the answers to what many ask at
// once.
#pragma once

#include "io/udp.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace sallyport::io {

/// What goes to one place keeps its order; what goes to others may overtake it.
class UdpBurst {
public:
    /// Longer ones go alone: cards and tunnels between have no room for them.
    static constexpr std::size_t largest = 1452;  // 1500 - IPv6 - UDP

    /// As UdpSocket::send_one(), at flush() at the latest. The socket may not be closed before.
    void send_one(UdpSocket& socket, const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces);
    void flush();

private:
    // Datagrams to one place, all but the last of one size.
    struct Row {
        UdpSocket* socket;  // null: sent
        SocketAddress peer;
        IpAddress local;
        std::size_t each;  // bytes
        bool is_closed;  // by one that is shorter
        std::uint8_t first, last;  // of the gathered
    };
    struct Gathered {
        Bytes bytes;
        std::uint8_t next;  // of the same row
    };

    Row* row_for(const UdpSocket& socket, const SocketAddress& peer, const IpAddress& local, std::size_t size);
    void send_all_of(UdpSocket& socket);

    // No row can be longer than the kernel takes it, for all together aren't.
    static constexpr std::size_t most = UdpSocket::most_segments;
    std::size_t rows_used_ = 0, gathered_used_ = 0, bytes_used_ = 0;
    std::array<Row, most> rows_;
    std::array<Gathered, most> gathered_;
    std::array<DatagramRow, most> leaving_;  // for a flush, as what lies in them
    std::array<Bytes, most> datagrams_;
    std::unique_ptr<std::byte[]> room_ = std::make_unique_for_overwrite<std::byte[]>(UdpSocket::largest_segments);
};

}  // namespace sallyport::io
