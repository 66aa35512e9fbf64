#include "relays/guest.hpp"

#include "wire/stun/framing.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sallyport::bench {

namespace {

constexpr std::uint16_t channel = stun::first_channel;
constexpr timeval patience{.tv_sec = 5, .tv_usec = 0};
constexpr std::size_t largest_read = 65'536;
constexpr std::size_t most_at_once = 16;  // datagrams

// Of this process alone, on loopback: what another one before it left at the server is nobody's of ours.
SocketAddress own_address() {
    const auto number = static_cast<std::uint32_t>(::getpid());
    return {IpAddress::v4(0x7F000001U | (number & 0x7FFF) << 8), 0};
}

Result<void> failed(const std::string& what) { return fail(what + ": " + std::strerror(errno)); }

}  // namespace

SocketAddress local_address_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return SocketAddress::from(reinterpret_cast<const sockaddr&>(storage));
}

Result<void> Guest::connect() {
    fd_ = io::Fd(::socket(server_.ip.is_v4() ? AF_INET : AF_INET6, by_tcp_ ? SOCK_STREAM : SOCK_DGRAM, 0));
    const auto with_address = [&](const SocketAddress& address, auto call) {
        sockaddr_storage storage;
        const unsigned size = address.to_sockaddr(storage);
        return call(fd_.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0;
    };
    if (!fd_ || !with_address(own_address(), ::bind) || !with_address(server_, ::connect))
        return failed("cannot connect to " + server_.to_string());
    const int on = 1;
    if (by_tcp_) setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    own_ = local_address_of(fd_.get());
    return {};
}

Result<void> Guest::allocate() {
    const auto answer = exchange([this] { return requester_.allocate(); });
    if (!answer) return fail(answer.error());
    if (!answer->relayed) return fail("an allocation without a relay");
    relay_ = *answer->relayed;
    return {};
}

Result<void> Guest::open_to(const SocketAddress& peer, bool by_channel) {
    peer_ = peer;
    by_channel_ = by_channel;
    const auto answer =
        exchange([&] { return by_channel ? requester_.bind_channel(channel, peer) : requester_.permit(peer.ip); });
    if (!answer) return fail(answer.error());
    return {};
}

Result<void> Guest::stop_waiting() {
    timeval none{};
    if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none) != 0) return failed("SO_RCVTIMEO");
    return {};
}

Result<turn::Requester::Answer> Guest::exchange(const std::function<Bytes()>& request) {
    using Kind = turn::Requester::Answer::Kind;
    for (int tries = 0; tries < 2; ++tries) {
        const Bytes bytes = request();
        if (::send(fd_.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
            return fail(std::string("a request can't be sent: ") + std::strerror(errno));
        const auto came = read_one();
        if (!came) return fail(came.error());
        const auto answer = requester_.take(*came);
        if (answer.kind == Kind::done) return answer;
        if (answer.kind != Kind::again) return fail("refused with " + std::to_string(answer.code));
    }
    return fail("challenged twice");
}

// While waiting a server sends nothing but answers: one read of a stream is one frame, or a part of it.
Result<std::vector<std::byte>> Guest::read_one() {
    std::vector<std::byte> came(largest_read);
    std::size_t size = 0;
    while (true) {
        const ssize_t got = ::recv(fd_.get(), came.data() + size, came.size() - size, 0);
        if (got <= 0) return fail("no answer from " + server_.to_string());
        size += static_cast<std::size_t>(got);
        const bool whole = stun::next_frame(Bytes(came).first(size)).state == stun::Frame::State::complete;
        if (!by_tcp_ || whole) break;
    }
    came.resize(size);
    return came;
}

bool Guest::send(std::uint32_t name, std::uint64_t number, std::size_t size) {
    std::array<std::byte, 12> head;
    ByteWriter(head).u32(name);
    ByteWriter(MutableBytes(head).subspan(4)).u64(number);
    const std::size_t data = by_channel_ ? stun::channel_head_size : stun::header_size + 12 + 4;
    if (message_.size() < data + size) {
        const std::vector<std::byte> blank(size);
        const Bytes first = by_channel_ ? Bytes{} : requester_.indicate(peer_, blank);
        message_.assign(first.begin(), first.end());
        const auto channel_head = stun::channel_head(channel, size);
        if (by_channel_) message_.assign(channel_head.begin(), channel_head.end());
        message_.resize(data + size + stun::padding_after(size));
    }
    std::memcpy(message_.data() + data, head.data(), head.size());
    return ::send(fd_.get(), message_.data(), message_.size(), MSG_DONTWAIT) == static_cast<ssize_t>(message_.size());
}

std::uint64_t Guest::send_bindings(std::uint64_t count) {
    std::array<std::array<std::byte, stun::header_size>, most_at_once> requests;
    std::array<iovec, most_at_once> vectors;
    std::array<mmsghdr, most_at_once> messages{};
    std::uint64_t went = 0;
    while (went < count) {
        const auto now = static_cast<unsigned>(std::min<std::uint64_t>(count - went, most_at_once));
        for (unsigned i = 0; i < now; ++i) {
            std::ranges::copy(requester_.binding().first(stun::header_size), requests[i].begin());
            vectors[i] = {requests[i].data(), stun::header_size};
            messages[i].msg_hdr.msg_iov = &vectors[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        const int sent = sendmmsg(fd_.get(), messages.data(), now, MSG_DONTWAIT);
        if (sent <= 0) break;
        went += static_cast<std::uint64_t>(sent);
    }
    return went;
}

void Guest::leave() {
    const Bytes bytes = requester_.refresh(0);
    ::send(fd_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
}

bool Guest::receive(const std::function<bool(Bytes)>& take) {
    if (!by_tcp_) return receive_datagrams(take);
    static thread_local std::array<std::byte, largest_read> room;
    std::memcpy(room.data(), rest_.data(), rest_.size());
    const ssize_t got = ::recv(fd_.get(), room.data() + rest_.size(), room.size() - rest_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    Bytes bytes = Bytes(room).first(rest_.size() + static_cast<std::size_t>(got));
    while (!bytes.empty()) {
        const stun::Frame frame = stun::next_frame(bytes);
        if (frame.state == stun::Frame::State::malformed) return false;
        if (frame.state == stun::Frame::State::need_more) break;
        if (!take_one(bytes.first(frame.size), take)) return false;
        bytes = bytes.subspan(frame.size);
    }
    rest_.assign(bytes.begin(), bytes.end());
    return true;
}

bool Guest::receive_datagrams(const std::function<bool(Bytes)>& take) {
    static thread_local std::array<std::array<std::byte, 2048>, most_at_once> room;
    std::array<iovec, most_at_once> vectors;
    std::array<mmsghdr, most_at_once> messages{};
    for (std::size_t i = 0; i < most_at_once; ++i) {
        vectors[i] = {room[i].data(), room[i].size()};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int got = recvmmsg(fd_.get(), messages.data(), most_at_once, MSG_DONTWAIT, nullptr);
    if (got < 0) return errno == EAGAIN;
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
        if (!take_one(Bytes(room[i]).first(messages[i].msg_len), take)) return false;
    }
    return true;
}

bool Guest::take_one(Bytes bytes, const std::function<bool(Bytes)>& take) const {
    if (const auto data = stun::read_channel_data(bytes))
        return by_channel_ && data->number == channel && take(data->data);
    const auto message = stun::read_message(bytes);
    if (!message) return false;
    if (message->kind() == stun::Class::indication) {
        return message->address(stun::Attribute::xor_peer_address) == peer_ &&
               take(message->value(stun::Attribute::data));
    }
    return take(bytes);
}

}  // namespace sallyport::bench
