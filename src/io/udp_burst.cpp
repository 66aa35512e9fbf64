#include "io/udp_burst.hpp"

#include <algorithm>
#include <ranges>
#include <utility>

namespace sallyport::io {

void UdpBurst::send_one(UdpSocket& socket, const SocketAddress& peer, const IpAddress& local,
                        std::span<const Bytes> pieces) {
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    const bool goes_alone = size == 0 || size > largest;
    if (goes_alone || gathered_used_ == most || bytes_used_ + size > UdpSocket::largest_segments) flush();
    if (goes_alone) {
        socket.send_one(peer, local, pieces);
        return;
    }
    auto* const begin = room_.get() + bytes_used_;
    auto* end = begin;
    for (const Bytes piece : pieces) end = std::ranges::copy(piece, end).out;
    bytes_used_ += size;
    const auto number = static_cast<std::uint8_t>(gathered_used_++);
    gathered_[number].bytes = Bytes(begin, size);

    if (Row* const row = row_for(socket, peer, local, size)) {
        gathered_[row->last].next = number;
        row->last = number;
        row->is_closed = size < row->each;
    } else {
        rows_[rows_used_++] = {&socket, peer, local, size, false, number, number};
    }
}

// The last one to this place, for only behind that may it go.
UdpBurst::Row* UdpBurst::row_for(const UdpSocket& socket, const SocketAddress& peer, const IpAddress& local,
                                 std::size_t size) {
    for (Row& row : std::span(rows_).first(rows_used_) | std::views::reverse) {
        if (row.socket != &socket || row.peer != peer || row.local != local) continue;
        return size <= row.each && !row.is_closed ? &row : nullptr;
    }
    return nullptr;
}

void UdpBurst::flush() {
    for (const Row& row : std::span(rows_).first(rows_used_)) {
        if (row.socket != nullptr) send_all_of(*row.socket);
    }
    rows_used_ = gathered_used_ = bytes_used_ = 0;
}

void UdpBurst::send_all_of(UdpSocket& socket) {
    std::size_t leaving = 0, taken = 0;
    for (Row& row : std::span(rows_).first(rows_used_)) {
        if (row.socket != &socket) continue;
        row.socket = nullptr;
        const std::size_t before = taken;
        for (std::uint8_t number = row.first;; number = gathered_[number].next) {
            datagrams_[taken++] = gathered_[number].bytes;
            if (number == row.last) break;
        }
        leaving_[leaving++] = {row.peer, row.local, std::span(datagrams_).subspan(before, taken - before)};
    }
    socket.send_rows(std::span(leaving_).first(leaving));
}

}  // namespace sallyport::io
