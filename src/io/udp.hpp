// A UDP socket in a loop: many datagrams a system call, each with the address it came to.
//
// On a wildcard socket the kernel would answer from any of its addresses; a client takes an answer only from the one
// that it asked. So every datagram tells its local address, and an answer names it again.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/fd.hpp"
#include "io/loop.hpp"
#include "io/wait_any.hpp"

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace sallyport::io {

struct Datagram {
    SocketAddress peer;  // on sending: port 0 on a socket that has one peer alone
    IpAddress local;  // what the peer sent it to; on sending: what it comes from, unspecified: the kernel's choice
    Bytes bytes;
    bool truncated = false;  // received: it was longer than the batch's room
    /// The interface, by its index, where one of the addresses is link-local (RFC 4291 section 2.5.6): such a one is
    /// none without it. An answer names it again. 0: none is.
    unsigned link = 0;
};

/// Datagrams to one place that go one behind the other: all of one size but the last, which may be shorter.
struct DatagramRow {
    SocketAddress peer;
    IpAddress local;  // as a Datagram's
    std::span<const Bytes> datagrams;
};

/// Room for one receive, to be used again and again. What is in it is gone at the next receive. It takes the memory of
/// what has been received: about 70 KiB as a rule, and where there is room for the largest 2 MiB after a full batch.
class DatagramBatch {
public:
    static constexpr std::size_t capacity = 32;  // datagrams
    static constexpr std::size_t room = 2048;  // bytes each
    static constexpr std::size_t largest_room = 65'535;  // for whatever UDP carries

    explicit DatagramBatch(std::size_t bytes_each = room);
    ~DatagramBatch();
    DatagramBatch(const DatagramBatch&) = delete;
    DatagramBatch& operator=(const DatagramBatch&) = delete;

private:
    friend class UdpSocket;
    struct Slots;
    std::unique_ptr<Slots> slots_;
    std::array<Datagram, capacity> datagrams_;
};

/// What a router on the way, or the other end, said of a datagram that was sent from a socket (ICMP, ICMPv6).
struct IcmpError {
    SocketAddress peer;  // whom the datagram was for
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    std::uint32_t mtu = 0;  // of the next hop, where the datagram was too long for it
};

class UdpSocket {
public:
    /// Takes a socket of bind_udp (io/sockets.hpp). Fails when epoll refuses it.
    static Result<UdpSocket> adopt(Loop& loop, Fd fd, Cancellation& cancellation);
    UdpSocket(UdpSocket&& other) noexcept
        : watched_(std::exchange(other.watched_, nullptr)),
          refused_(other.refused_),
          longest_segment_(other.longest_segment_) {}
    UdpSocket& operator=(UdpSocket&&) = delete;
    ~UdpSocket() { close(); }

    /// What has arrived, at most a batch, as views into `into`; none: nothing now, wait until readable. ICMP errors
    /// that earlier datagrams met are passed over: one peer that is gone is nothing to the others.
    std::span<const Datagram> receive(DatagramBatch& into);

    struct Sent {
        std::size_t done = 0;  // of the datagrams given, from the first: fewer when the socket is full
        std::size_t failed = 0;  // of those: refused by the kernel (no route, too long, a firewall), and so lost
    };
    /// Sends as many as the socket takes; wait until writable and send the others. A datagram that the kernel refuses
    /// is counted and passed over.
    Sent send(std::span<const Datagram> datagrams);

    /// Sends one datagram that lies in pieces, four at the most. False: it is lost, for the socket is full or the
    /// kernel refuses it.
    bool send_one(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces);

    /// Sends many by one system call where the kernel takes them: a row goes through it as one (GSO), and is cut up
    /// last of all. What the socket has no room for, or the kernel refuses, is lost, as in send_one().
    /// @param rows  of at most most_segments datagrams and largest_segments bytes together
    void send_rows(std::span<const DatagramRow> rows);
    static constexpr std::size_t most_segments = 64;  // what every Linux with UDP_SEGMENT takes
    static constexpr std::size_t largest_segments = 65'000;

    /// May routers cut up what is sent from now on? By the system's default they may not, while it knows no better.
    void set_fragmentation(bool allowed);

    /// From now on take_icmp() has something to tell.
    void keep_icmp();
    /// The next ICMP error that has come; nothing when there is none. Costs no system call where there can't be any.
    std::optional<IcmpError> take_icmp();

    bool is_open() const { return watched_ != nullptr; }
    WaitAny<1> readable(Deadline deadline) { return {deadline, {{{watched_, Interest::read}}}}; }
    WaitAny<1> writable(Deadline deadline) {
        if (!watched_->writable) watched_->loop->watch_room_too(*watched_);
        return {deadline, {{{watched_, Interest::write}}}};
    }
    int fd() const { return watched_->fd; }
    void close();

    /// Has the kernel told since the last call that the one peer of this socket is not there (ICMP)?
    bool take_refusal() { return std::exchange(refused_, false); }

private:
    explicit UdpSocket(Watched* watched) : watched_(watched) {}
    Sent send_batch(std::span<const Datagram> datagrams);
    bool refuses_segments(int error, const DatagramRow& row);
    bool send_pieces(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces);

    Watched* watched_;
    bool refused_ = false;
    std::size_t longest_segment_ = largest_segments;  // that the kernel may take
};

/// A bound UDP socket that does not tell local addresses: it has but one. The error is errno.
std::expected<Fd, int> bind_one_udp(const SocketAddress& address);

}  // namespace sallyport::io
