#include "turn/kernel_nat.hpp"

#include "io/fd.hpp"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

namespace sallyport::turn {

namespace {

constexpr std::uint16_t query_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr std::uint16_t answer_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
// Which parts of a tuple count (the kernel's CTA_FILTER_F_*, which it does not export): source, protocol, source port.
constexpr std::uint32_t by_source = 1U << 0 | 1U << 3 | 1U << 4;

template <class T>
Bytes bytes_of(const T& value) {
    return std::as_bytes(std::span(&value, 1));
}

// Attributes in the making: a head, then values or attributes, in whole words (netlink(7)).
class Attributes {
public:
    void add(std::uint16_t type, Bytes value) {
        const nlattr head{static_cast<std::uint16_t>(sizeof(nlattr) + value.size()), type};
        append(bytes_of(head));
        append(value);
        bytes_.resize(NLA_ALIGN(bytes_.size()));
    }
    void nest(std::uint16_t type, const Attributes& inner) { add(type | NLA_F_NESTED, inner.bytes_); }
    Bytes bytes() const { return bytes_; }

private:
    void append(Bytes bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

    std::vector<std::byte> bytes_;
};

// Calls f(type, value) for each attribute that lies whole in there.
template <class F>
void each_attribute(Bytes bytes, F f) {
    nlattr head;
    while (bytes.size() >= sizeof head) {
        std::memcpy(&head, bytes.data(), sizeof head);
        if (head.nla_len < sizeof head || head.nla_len > bytes.size()) return;
        f(head.nla_type & NLA_TYPE_MASK, bytes.first(head.nla_len).subspan(sizeof head));
        bytes = bytes.subspan(std::min<std::size_t>(bytes.size(), NLA_ALIGN(head.nla_len)));
    }
}

struct Tuple {
    SocketAddress from, to;
    bool is_udp = false;
};

std::optional<IpAddress> address_in(Bytes value) {
    ByteReader reader(value);
    if (value.size() == 4) return IpAddress::v4(*reader.u32());
    if (value.size() != 16) return std::nullopt;
    std::array<std::uint8_t, 16> raw;
    std::memcpy(raw.data(), value.data(), raw.size());
    return IpAddress::v6(raw);
}

void read_addresses(Bytes attributes, Tuple& tuple) {
    each_attribute(attributes, [&](int type, Bytes value) {
        const auto address = address_in(value);
        if (!address) return;
        if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC) tuple.from.ip = *address;
        if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST) tuple.to.ip = *address;
    });
}

void read_protocol(Bytes attributes, Tuple& tuple) {
    each_attribute(attributes, [&](int type, Bytes value) {
        ByteReader reader(value);
        if (type == CTA_PROTO_NUM) tuple.is_udp = reader.u8() == IPPROTO_UDP;
        if (type == CTA_PROTO_SRC_PORT) tuple.from.port = reader.u16().value_or(0);
        if (type == CTA_PROTO_DST_PORT) tuple.to.port = reader.u16().value_or(0);
    });
}

Tuple tuple_in(Bytes attributes) {
    Tuple tuple;
    each_attribute(attributes, [&](int type, Bytes value) {
        if (type == CTA_TUPLE_IP) read_addresses(value, tuple);
        if (type == CTA_TUPLE_PROTO) read_protocol(value, tuple);
    });
    return tuple;
}

}  // namespace

std::vector<std::byte> connections_query(const SocketAddress& client) {
    const bool is_v4 = client.ip.is_v4();
    const std::array port{static_cast<std::byte>(client.port >> 8), static_cast<std::byte>(client.port)};
    const std::uint8_t udp = IPPROTO_UDP;
    const std::uint32_t none = 0;
    Attributes address, protocol, tuple, filter, all;
    // IPv4 is held as its mapped form: its bytes are the last four.
    address.add(is_v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC,
                std::as_bytes(std::span(client.ip.bytes())).last(is_v4 ? 4 : 16));
    protocol.add(CTA_PROTO_NUM, bytes_of(udp));
    protocol.add(CTA_PROTO_SRC_PORT, Bytes(port));
    tuple.nest(CTA_TUPLE_IP, address);
    tuple.nest(CTA_TUPLE_PROTO, protocol);
    filter.add(CTA_FILTER_ORIG_FLAGS, bytes_of(by_source));
    filter.add(CTA_FILTER_REPLY_FLAGS, bytes_of(none));
    all.nest(CTA_TUPLE_ORIG, tuple);
    all.nest(CTA_FILTER, filter);
    const nfgenmsg family{static_cast<std::uint8_t>(is_v4 ? AF_INET : AF_INET6), NFNETLINK_V0, 0};
    const nlmsghdr head{static_cast<std::uint32_t>(sizeof(nlmsghdr) + sizeof family + all.bytes().size()), query_type,
                        NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
    std::vector<std::byte> out;
    for (const Bytes part : {bytes_of(head), bytes_of(family), all.bytes()})
        out.insert(out.end(), part.begin(), part.end());
    return out;
}

bool MappingSearch::take(Bytes messages) {
    nlmsghdr head;
    while (messages.size() >= sizeof head) {
        std::memcpy(&head, messages.data(), sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > messages.size()) return false;
        if (head.nlmsg_type == NLMSG_DONE || head.nlmsg_type == NLMSG_ERROR) return false;
        const Bytes body = messages.first(head.nlmsg_len).subspan(sizeof head);
        if (head.nlmsg_type == answer_type && body.size() >= sizeof(nfgenmsg))
            take_connection(body.subspan(sizeof(nfgenmsg)));
        messages = messages.subspan(std::min<std::size_t>(messages.size(), NLMSG_ALIGN(head.nlmsg_len)));
    }
    return true;
}

void MappingSearch::take_connection(Bytes attributes) {
    Tuple original, reply;
    each_attribute(attributes, [&](int type, Bytes value) {
        if (type == CTA_TUPLE_ORIG) original = tuple_in(value);
        if (type == CTA_TUPLE_REPLY) reply = tuple_in(value);
    });
    // What the other end answers to is how it sees the client. A connection that passes no NAT tells nothing.
    if (!original.is_udp || original.from != client_ || reply.to == client_) return;
    differs_ = differs_ || (mapped_ && *mapped_ != reply.to);
    mapped_ = reply.to;
}

std::optional<SocketAddress> kernel_mapping(const SocketAddress& client) {
    const io::Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!fd) return std::nullopt;
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto query = connections_query(client);
    if (::send(fd.get(), query.data(), query.size(), 0) < 0) return std::nullopt;
    MappingSearch search(client);
    std::vector<std::byte> room(std::size_t{1} << 16);
    for (;;) {
        const ssize_t size = ::recv(fd.get(), room.data(), room.size(), 0);
        if (size <= 0) return std::nullopt;
        if (!search.take(Bytes(room).first(static_cast<std::size_t>(size)))) return search.found();
    }
}

}  // namespace sallyport::turn
