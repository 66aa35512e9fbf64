#include "io/udp.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <linux/errqueue.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace sallyport::io {

namespace {

// Room for one control message with an address, and one with a size; aligned as the kernel writes it.
struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(std::uint16_t))];
};

IpAddress from_v4(const in_addr& address) { return IpAddress::v4(ntohl(address.s_addr)); }

IpAddress from_v6(const in6_addr& address) {
    std::array<std::uint8_t, 16> bytes;
    std::memcpy(bytes.data(), &address, bytes.size());
    return IpAddress::v6(bytes);
}

template <class T>
T payload_of(const cmsghdr& message) {
    T out;
    std::memcpy(&out, CMSG_DATA(&message), sizeof out);
    return out;
}

bool is_link_local(const IpAddress& address) {
    return address.bytes()[0] == 0xFE && (address.bytes()[1] & 0xC0) == 0x80;
}

// Where a datagram came to.
struct Destination {
    IpAddress address = {};
    unsigned interface = 0;
};

// By IP_PKTINFO (ip(7)) or IPV6_PKTINFO (RFC 3542 section 6); IPv4 on a dual socket comes mapped.
Destination destination_in(msghdr& header) {
    for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr; message = CMSG_NXTHDR(&header, message)) {
        if (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_PKTINFO) {
            return {.address = from_v4(payload_of<in_pktinfo>(*message).ipi_spec_dst)};
        }
        if (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_PKTINFO) {
            const auto info = payload_of<in6_pktinfo>(*message);
            return {.address = from_v6(info.ipi6_addr), .interface = info.ipi6_ifindex};
        }
    }
    return {};
}

// Behind what is there already.
template <class T>
void put(msghdr& header, Control& control, int level, int type, const T& payload) {
    if (header.msg_control == nullptr) control = {};
    const std::size_t before = header.msg_controllen;
    header.msg_control = &control;
    header.msg_controllen += CMSG_SPACE(sizeof payload);
    auto* const message = reinterpret_cast<cmsghdr*>(control.bytes + before);
    message->cmsg_level = level;
    message->cmsg_type = type;
    message->cmsg_len = CMSG_LEN(sizeof payload);
    std::memcpy(CMSG_DATA(message), &payload, sizeof payload);
}

// By the family of the peer, which the kernel goes by on a dual socket too.
void put_local_address(msghdr& header, Control& control, const Datagram& datagram) {
    if (datagram.local.is_unspecified()) return;
    if (datagram.peer.ip.is_v4()) {
        in_pktinfo info{};
        info.ipi_spec_dst.s_addr = htonl(datagram.local.v4_host_order());
        put(header, control, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, datagram.local.bytes().data(), datagram.local.bytes().size());
        info.ipi6_ifindex = datagram.link;
        put(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

// One datagram with all that the kernel is pointed at.
struct Envelope {
    std::array<iovec, 4> vectors;
    sockaddr_storage storage;
    Control control;
    mmsghdr message{};

    Envelope(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces) {
        for (std::size_t i = 0; i < pieces.size(); ++i)
            vectors[i] = {const_cast<std::byte*>(pieces[i].data()), pieces[i].size()};  // only read
        msghdr& header = message.msg_hdr;
        header.msg_name = &storage;
        header.msg_namelen = peer.to_sockaddr(storage);
        header.msg_iov = vectors.data();
        header.msg_iovlen = pieces.size();
        put_local_address(header, control, {.peer = peer, .local = local, .bytes = {}});
    }
    Envelope(const Envelope&) = delete;
    Envelope& operator=(const Envelope&) = delete;
};

// As in send_batch: the first try may tell the error of an earlier datagram.
template <class Try>
bool sends(Try once) {
    for (int tries = 0; tries < 2; ++tries) {
        if (once()) return true;
        if (errno == EAGAIN) break;
    }
    return false;
}

}  // namespace

struct DatagramBatch::Slots {
    explicit Slots(std::size_t with_room)
        : room(with_room), bytes(std::make_unique_for_overwrite<std::byte[]>(capacity * stride())) {}

    const std::size_t room;
    std::array<mmsghdr, capacity> messages;
    std::array<iovec, capacity> vectors;
    std::array<sockaddr_storage, capacity> peers;
    std::array<Control, capacity> controls;
    std::unique_ptr<std::byte[]> bytes;
    std::size_t written = capacity;  // of the messages, by the last receive

    // Not a power of two, or the beginnings of all datagrams would share a few lines of the processor's cache.
    std::size_t stride() const { return room + 192; }
    std::byte* place(std::size_t i) const { return bytes.get() + i * stride(); }

    // The kernel writes lengths over those it was given: they are set again before the next call.
    void prepare() {
        const std::size_t used = std::exchange(written, 0);
        for (std::size_t i = 0; i < used; ++i) {
            vectors[i] = {place(i), room};
            messages[i] = {};
            msghdr& header = messages[i].msg_hdr;
            header.msg_name = &peers[i];
            header.msg_namelen = sizeof peers[i];
            header.msg_iov = &vectors[i];
            header.msg_iovlen = 1;
            header.msg_control = &controls[i];
            header.msg_controllen = sizeof controls[i];
        }
    }
    Datagram taken(std::size_t i) {
        mmsghdr& message = messages[i];
        const Destination to = destination_in(message.msg_hdr);
        const auto peer = SocketAddress::from(reinterpret_cast<const sockaddr&>(peers[i]));
        return {.peer = peer,
                .local = to.address,
                .bytes = Bytes(place(i), message.msg_len),
                .truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0,
                .link = is_link_local(peer.ip) || is_link_local(to.address) ? to.interface : 0};
    }
};

DatagramBatch::DatagramBatch(std::size_t bytes_each) : slots_(std::make_unique<Slots>(bytes_each)) {}
DatagramBatch::~DatagramBatch() = default;

Result<UdpSocket> UdpSocket::adopt(Loop& loop, Fd fd, Cancellation& cancellation) {
    Watched* watched = loop.watch_arrivals(fd.get(), cancellation);
    if (watched == nullptr) return fail(std::string("a UDP socket can't be watched by epoll: ") + std::strerror(errno));
    watched->readable = true;  // datagrams may wait already
    fd.release();
    return UdpSocket(watched);
}

void UdpSocket::close() {
    if (watched_ == nullptr) return;
    const int fd = watched_->fd;
    watched_->loop->unwatch(std::exchange(watched_, nullptr));
    ::close(fd);
}

std::span<const Datagram> UdpSocket::receive(DatagramBatch& into) {
    // An error is told once by the kernel, and each can hide datagrams behind it; there can't be many in a row.
    for (std::size_t tries = 0; tries < DatagramBatch::capacity; ++tries) {
        into.slots_->prepare();
        const int count = watched_->loop->system_calls().recvmmsg(watched_->fd, into.slots_->messages.data(),
                                                                  DatagramBatch::capacity, MSG_DONTWAIT, nullptr);
        if (count >= 0) {
            const auto taken = static_cast<std::size_t>(count);
            into.slots_->written = taken;
            // Fewer than there is room for: there are no more, and the next one that comes will be told by an edge.
            if (taken < DatagramBatch::capacity) watched_->readable = false;
            for (std::size_t i = 0; i < taken; ++i) into.datagrams_[i] = into.slots_->taken(i);
            return std::span(into.datagrams_).first(taken);
        }
        into.slots_->written = 1;  // perhaps
        if (errno == EAGAIN) break;
        refused_ = true;
    }
    watched_->readable = false;
    return {};
}

UdpSocket::Sent UdpSocket::send(std::span<const Datagram> datagrams) {
    Sent sent;
    while (sent.done < datagrams.size()) {
        const auto rest = datagrams.subspan(sent.done);
        const Sent now = send_batch(rest.first(std::min(rest.size(), DatagramBatch::capacity)));
        sent.done += now.done;
        sent.failed += now.failed;
        if (now.done == 0) break;
    }
    return sent;
}

// At least one is done, or the socket is full.
UdpSocket::Sent UdpSocket::send_batch(std::span<const Datagram> datagrams) {
    std::array<mmsghdr, DatagramBatch::capacity> messages;
    std::array<iovec, DatagramBatch::capacity> vectors;
    std::array<sockaddr_storage, DatagramBatch::capacity> peers;
    std::array<Control, DatagramBatch::capacity> controls;
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
        vectors[i] = {const_cast<std::byte*>(datagrams[i].bytes.data()), datagrams[i].bytes.size()};  // only read
        messages[i] = {};
        msghdr& header = messages[i].msg_hdr;
        if (datagrams[i].peer.port != 0) {
            header.msg_name = &peers[i];
            header.msg_namelen = datagrams[i].peer.to_sockaddr(peers[i]);
        }
        header.msg_iov = &vectors[i];
        header.msg_iovlen = 1;
        put_local_address(header, controls[i], datagrams[i]);
    }
    // A call may tell the ICMP error of an earlier datagram instead of sending this one: a second try is due to it.
    for (int tries = 0; tries < 2; ++tries) {
        const int count = watched_->loop->system_calls().sendmmsg(
            watched_->fd, messages.data(), static_cast<unsigned>(datagrams.size()), MSG_DONTWAIT);
        if (count > 0) return {static_cast<std::size_t>(count), 0};
        if (count < 0 && errno == EAGAIN) {
            watched_->writable = false;
            return {};
        }
        refused_ = true;
    }
    return {1, 1};
}

// Nine of ten datagrams are small, and for these one more copy is cheaper than a list of pieces that the kernel checks:
// sendto() takes a tenth less than sendmmsg() of one datagram.
bool UdpSocket::send_one(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces) {
    std::size_t size = 0;
    for (const Bytes piece : pieces) size += piece.size();
    std::array<std::byte, DatagramBatch::room> whole;
    if (!local.is_unspecified() || size > whole.size()) return send_pieces(peer, local, pieces);
    if (pieces.size() > 1) {
        auto end = whole.begin();
        for (const Bytes piece : pieces) end = std::ranges::copy(piece, end).out;
    }
    sockaddr_storage storage;
    const socklen_t length = peer.to_sockaddr(storage);
    const Bytes bytes = pieces.size() == 1 ? pieces[0] : Bytes(whole).first(size);
    return sends([&] {
        const auto* const to = reinterpret_cast<const sockaddr*>(&storage);
        const auto& calls = watched_->loop->system_calls();
        return calls.sendto(watched_->fd, bytes.data(), size, MSG_DONTWAIT, to, length) == static_cast<ssize_t>(size);
    });
}

bool UdpSocket::send_pieces(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces) {
    Envelope envelope(peer, local, pieces);
    const auto& calls = watched_->loop->system_calls();
    return sends([&] { return calls.sendmmsg(watched_->fd, &envelope.message, 1, MSG_DONTWAIT) == 1; });
}

// The kernel refuses what would not pass the path whole (EINVAL, later EMSGSIZE), and all of it where nobody below sums
// or cuts (EIO, as with IPsec): what is as long will not be tried again by this socket.
bool UdpSocket::send_segments(const SocketAddress& peer, const IpAddress& local, Bytes whole, std::size_t each) {
    if (each <= longest_segment_ && whole.size() > each) {
        Envelope envelope(peer, local, std::array{whole});
        put(envelope.message.msg_hdr, envelope.control, SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(each));
        const auto& calls = watched_->loop->system_calls();
        if (sends([&] { return calls.sendmmsg(watched_->fd, &envelope.message, 1, MSG_DONTWAIT) == 1; })) return true;
        if (errno != EINVAL && errno != EMSGSIZE && errno != EIO) return false;
        longest_segment_ = errno == EIO ? 0 : each - 1;
    }
    bool sent = true;
    for (; !whole.empty(); whole = whole.subspan(std::min(each, whole.size())))
        sent = send_one(peer, local, std::array{whole.first(std::min(each, whole.size()))}) && sent;
    return sent;
}

void UdpSocket::set_fragmentation(bool allowed) {
    const int v4 = allowed ? IP_PMTUDISC_DONT : IP_PMTUDISC_DO;
    const int v6 = allowed ? IPV6_PMTUDISC_DONT : IPV6_PMTUDISC_DO;
    setsockopt(watched_->fd, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
    setsockopt(watched_->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);  // which a socket of IPv4 refuses
}

void UdpSocket::keep_icmp() {
    const int on = 1;
    setsockopt(watched_->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    setsockopt(watched_->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);  // which a socket of IPv4 refuses
}

// The kernel says by EPOLLERR that the socket's queue of errors (ip(7), IP_RECVERR) holds something.
std::optional<IcmpError> UdpSocket::take_icmp() {
    while (watched_->hung_up) {
        sockaddr_storage peer{};
        alignas(cmsghdr) std::array<char, 512> control;
        msghdr header{};
        header.msg_name = &peer;
        header.msg_namelen = sizeof peer;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        if (::recvmsg(watched_->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            watched_->hung_up = false;
            break;
        }
        for (cmsghdr* message = CMSG_FIRSTHDR(&header); message != nullptr; message = CMSG_NXTHDR(&header, message)) {
            const bool is_error = (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_RECVERR) ||
                                  (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_RECVERR);
            if (!is_error) continue;
            const auto error = payload_of<sock_extended_err>(*message);
            if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) continue;
            const std::uint32_t mtu = error.ee_errno == EMSGSIZE ? error.ee_info : 0;
            return IcmpError{SocketAddress::from(reinterpret_cast<const sockaddr&>(peer)), error.ee_type, error.ee_code,
                             mtu};
        }
    }
    return std::nullopt;
}

std::expected<Fd, int> bind_one_udp(const SocketAddress& address) {
    Fd fd(::socket(address.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) return std::unexpected(errno);
    sockaddr_storage storage;
    const unsigned size = address.to_sockaddr(storage);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0) return std::unexpected(errno);
    return fd;
}

}  // namespace sallyport::io
