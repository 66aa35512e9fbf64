#include "firewall/watch.hpp"

#include "firewall/render.hpp"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace sallyport::firewall {

namespace {

constexpr int room_for_news = 8 << 20;  // bytes: a map of 65 536 elements is told of element by element
constexpr int answer_within_ms = 5000;

auto failed(const char* what) { return fail(std::string(what) + ": " + std::generic_category().message(errno)); }

// The name of the table that a message is about: the first attribute after the header.
std::string_view table_of(const nlmsghdr& message) {
    const auto* data = static_cast<const char*>(NLMSG_DATA(&message));
    std::size_t left = NLMSG_PAYLOAD(&message, 0);
    if (left < sizeof(nfgenmsg)) return {};
    nfgenmsg header{};
    std::memcpy(&header, data, sizeof header);
    if (header.nfgen_family != NFPROTO_INET) return {};
    data += NLMSG_ALIGN(sizeof header);
    left -= std::min(left, static_cast<std::size_t>(NLMSG_ALIGN(sizeof header)));
    while (left >= sizeof(nlattr)) {
        nlattr attribute{};
        std::memcpy(&attribute, data, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > left) return {};
        if ((attribute.nla_type & NLA_TYPE_MASK) == NFTA_TABLE_NAME) {
            const std::string_view name(data + sizeof attribute, attribute.nla_len - sizeof attribute);
            return name.substr(0, name.find('\0'));
        }
        const auto step = std::min(left, static_cast<std::size_t>(NLA_ALIGN(attribute.nla_len)));
        data += step;
        left -= step;
    }
    return {};
}

bool ask_for_tables(int socket) {
    struct {
        nlmsghdr header;
        nfgenmsg body;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETTABLE;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.body.nfgen_family = NFPROTO_INET;
    question.body.version = NFNETLINK_V0;
    return ::send(socket, &question, sizeof question, 0) == static_cast<ssize_t>(sizeof question);
}

}  // namespace

// True: the answer to our question has ended.
bool Watch::take(const char* data, std::size_t size) {
    bool ended = false;
    auto left = static_cast<unsigned>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(data); NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) ended = true;
        if (message->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || table_of(*message) != table_name) continue;
        const int what = message->nlmsg_type & 0xff;
        if (what == NFT_MSG_NEWTABLE) loaded_ = true;
        if (what == NFT_MSG_DELTABLE) loaded_ = false;
    }
    return ended;
}

Result<Watch> Watch::open() {
    Watch watch(io::Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER)));
    if (watch.fd() < 0) return failed("no socket to the kernel's packet filter");
    ::setsockopt(watch.fd(), SOL_SOCKET, SO_RCVBUFFORCE, &room_for_news, sizeof room_for_news);
    sockaddr_nl self{};
    self.nl_family = AF_NETLINK;
    const int group = NFNLGRP_NFTABLES;
    if (::bind(watch.fd(), reinterpret_cast<const sockaddr*>(&self), sizeof self) != 0 ||
        ::setsockopt(watch.fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0 ||
        !ask_for_tables(watch.fd()))
        return failed("the kernel tells nothing of its packet filter");
    alignas(nlmsghdr) std::array<char, 65536> part{};
    for (;;) {
        pollfd readable{.fd = watch.fd(), .events = POLLIN, .revents = 0};
        if (::poll(&readable, 1, answer_within_ms) != 1) return fail("the kernel does not say which tables it has");
        const ssize_t got = ::recv(watch.fd(), part.data(), part.size(), 0);
        if (got < 0 && errno != EINTR) return failed("the kernel does not say which tables it has");
        if (got > 0 && watch.take(part.data(), static_cast<std::size_t>(got))) return watch;
    }
}

void Watch::read() {
    alignas(nlmsghdr) std::array<char, 65536> part{};
    for (;;) {
        const ssize_t got = ::recv(fd(), part.data(), part.size(), 0);
        if (got > 0) take(part.data(), static_cast<std::size_t>(got));
        if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;  // some news was lost; the next is as good
        if (got <= 0) return;
    }
}

}  // namespace sallyport::firewall
