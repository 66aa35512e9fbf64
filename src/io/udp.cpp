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
void put_local_address(msghdr& header, Control& control, const SocketAddress& peer, const IpAddress& local,
                       unsigned link) {
    if (local.is_unspecified()) return;
    if (peer.ip.is_v4()) {
        in_pktinfo info{};
        info.ipi_spec_dst.s_addr = htonl(local.v4_host_order());
        put(header, control, IPPROTO_IP, IP_PKTINFO, info);
    } else {
        in6_pktinfo info{};
        std::memcpy(&info.ipi6_addr, local.bytes().data(), local.bytes().size());
        info.ipi6_ifindex = link;
        put(header, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
    }
}

// Messages for one call, with all that the kernel is pointed at.
struct Post {
    static constexpr std::size_t most = UdpSocket::most_segments;  // messages, and pieces of all of them

    std::array<mmsghdr, most> messages;
    std::array<iovec, most> vectors;
    std::array<sockaddr_storage, most> places;
    std::array<Control, most> controls;
    std::size_t used = 0, vectors_used = 0;

    Post() {}  // NOLINT(modernize-use-equals-default): which would fill it with zeros
    Post(const Post&) = delete;
    Post& operator=(const Post&) = delete;

    // Port 0: to the one peer that the socket has.
    void add(const SocketAddress& peer, const IpAddress& local, std::span<const Bytes> pieces, unsigned link = 0) {
        messages[used] = {};
        msghdr& header = messages[used].msg_hdr;
        if (peer.port != 0) {
            header.msg_name = &places[used];
            header.msg_namelen = peer.to_sockaddr(places[used]);
        }
        header.msg_iov = &vectors[vectors_used];
        for (const Bytes piece : pieces) add_piece(header, piece);
        put_local_address(header, controls[used], peer, local, link);
        ++used;
    }
    // The message that was added last is cut up on its way.
    void cut_up(std::size_t each) {
        put(messages[used - 1].msg_hdr, controls[used - 1], SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(each));
    }

private:
    void add_piece(msghdr& header, Bytes piece) {
        auto* const begin = const_cast<std::byte*>(piece.data());  // only read
        if (header.msg_iovlen != 0) {
            iovec& last = vectors[vectors_used - 1];
            if (static_cast<std::byte*>(last.iov_base) + last.iov_len == begin) {
                last.iov_len += piece.size();
                return;
            }
        }
        vectors[vectors_used++] = {begin, piece.size()};
        ++header.msg_iovlen;
    }
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
    Post post;
    for (const Datagram& one : datagrams) post.add(one.peer, one.local, std::span(&one.bytes, 1), one.link);
    // A call may tell the ICMP error of an earlier datagram instead of sending this one: a second try is due to it.
    for (int tries = 0; tries < 2; ++tries) {
        const int count = watched_->loop->system_calls().sendmmsg(watched_->fd, post.messages.data(),
                                                                  static_cast<unsigned>(post.used), MSG_DONTWAIT);
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
    Post post;
    post.add(peer, local, pieces);
    const auto& calls = watched_->loop->system_calls();
    return sends([&] { return calls.sendmmsg(watched_->fd, post.messages.data(), 1, MSG_DONTWAIT) == 1; });
}

void UdpSocket::send_rows(std::span<const DatagramRow> rows) {
    if (rows.size() == 1 && rows[0].datagrams.size() == 1) {
        send_one(rows[0].peer, rows[0].local, rows[0].datagrams);
        return;
    }
    Post post;
    std::array<const DatagramRow*, Post::most> cut_up;  // null: of a message that is one datagram
    for (const DatagramRow& row : rows) {
        const std::size_t each = row.datagrams[0].size();
        if (row.datagrams.size() > 1 && each <= longest_segment_) {
            cut_up[post.used] = &row;
            post.add(row.peer, row.local, row.datagrams);
            post.cut_up(each);
        } else {
            for (const Bytes& one : row.datagrams) {
                cut_up[post.used] = nullptr;
                post.add(row.peer, row.local, std::span(&one, 1));
            }
        }
    }
    for (std::size_t done = 0, tries = 0; done < post.used;) {
        const int sent = watched_->loop->system_calls().sendmmsg(watched_->fd, &post.messages[done],
                                                                 static_cast<unsigned>(post.used - done), MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0 && ++tries < 2) continue;  // as in send_batch
        if (sent < 0 && cut_up[done] != nullptr && refuses_segments(errno, *cut_up[done]))
            send_rows(std::span(cut_up[done], 1));
        done += sent < 0 ? 1 : static_cast<std::size_t>(sent);
        tries = 0;
    }
}

// The kernel refuses what would not pass the path whole (EINVAL, later EMSGSIZE), and all of it where nobody below sums
// or cuts (EIO, as with IPsec): what is as long will not be tried again by this socket.
bool UdpSocket::refuses_segments(int error, const DatagramRow& row) {
    if (error != EINVAL && error != EMSGSIZE && error != EIO) return false;
    longest_segment_ = error == EIO ? 0 : row.datagrams[0].size() - 1;
    return true;
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
