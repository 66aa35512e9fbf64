#include "firewall/ports.hpp"

#include "io/fd.hpp"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>
#include <tuple>

namespace sallyport::firewall {

namespace {

constexpr unsigned state_close = 7;  // of UDP: connected to nobody (include/net/tcp_states.h)
constexpr unsigned state_listen = 10;

auto failed() { return fail("the kernel does not list its sockets: " + std::generic_category().message(errno)); }

IpAddress address_of(const inet_diag_msg& message) {
    if (message.idiag_family == AF_INET) return IpAddress::v4(ntohl(message.id.idiag_src[0]));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), message.id.idiag_src, bytes.size());
    return IpAddress::v6(bytes);
}

bool is_v6_only(const nlmsghdr& header) {
    const auto* data = static_cast<const char*>(NLMSG_DATA(&header)) + NLMSG_ALIGN(sizeof(inet_diag_msg));
    std::size_t left = NLMSG_PAYLOAD(&header, sizeof(inet_diag_msg));
    while (left >= sizeof(nlattr) && left < NLMSG_PAYLOAD(&header, 0)) {
        nlattr attribute{};
        std::memcpy(&attribute, data, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > left) return false;
        if (attribute.nla_type == INET_DIAG_SKV6ONLY && attribute.nla_len > sizeof attribute)
            return data[sizeof attribute] != 0;
        const auto step = std::min(left, static_cast<std::size_t>(NLA_ALIGN(attribute.nla_len)));
        data += step;
        left -= step;
    }
    return false;
}

void take(const nlmsghdr& header, Transport transport, std::vector<Listening>& out) {
    if (NLMSG_PAYLOAD(&header, 0) < sizeof(inet_diag_msg)) return;
    inet_diag_msg message{};
    std::memcpy(&message, NLMSG_DATA(&header), sizeof message);
    if (message.id.idiag_dport != 0) return;  // UDP that is connected after all
    Listening one{.transport = transport,
                  .address = {address_of(message), ntohs(message.id.idiag_sport)},
                  .v6_only = message.idiag_family == AF_INET6 && is_v6_only(header),
                  .inode = message.idiag_inode,
                  .uid = message.idiag_uid};
    std::array<char, IF_NAMESIZE> name{};
    if (message.id.idiag_if != 0 && ::if_indextoname(message.id.idiag_if, name.data()) != nullptr)
        one.device = name.data();
    out.push_back(std::move(one));
}

Result<void> dump(int socket, int family, Transport transport, std::vector<Listening>& out) {
    const bool tcp = transport == Transport::tcp;
    struct {
        nlmsghdr header;
        inet_diag_req_v2 body;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    question.body.sdiag_family = static_cast<std::uint8_t>(family);
    question.body.sdiag_protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
    question.body.idiag_states = 1U << (tcp ? state_listen : state_close);
    if (::send(socket, &question, sizeof question, 0) < 0) return failed();
    alignas(nlmsghdr) std::array<char, 65536> part{};
    for (;;) {
        const ssize_t got = ::recv(socket, part.data(), part.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return failed();
        auto left = static_cast<unsigned>(got);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(part.data()); NLMSG_OK(message, left);
             message = NLMSG_NEXT(message, left)) {
            if (message->nlmsg_type == NLMSG_DONE) return {};
            if (message->nlmsg_type == NLMSG_ERROR) return fail("the kernel does not list its sockets");
            take(*message, transport, out);
        }
    }
}

std::optional<std::uint32_t> socket_inode(const std::string& link) {
    constexpr std::string_view head = "socket:[";
    if (!link.starts_with(head)) return std::nullopt;
    std::uint32_t inode = 0;
    std::from_chars(link.data() + head.size(), link.data() + link.size(), inode);
    return inode;
}

// Which process holds which socket: one walk through /proc.
std::map<std::uint32_t, pid_t> holders() {
    namespace fs = std::filesystem;
    std::map<std::uint32_t, pid_t> out;
    std::error_code error;
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        pid_t pid = 0;
        const std::string name = process.path().filename();
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
        std::error_code hidden;
        for (fs::directory_iterator fd(process.path() / "fd", hidden), end; !hidden && fd != end;
             fd.increment(hidden)) {
            std::error_code gone;
            if (const auto inode = socket_inode(fs::read_symlink(fd->path(), gone))) out.emplace(*inode, pid);
        }
    }
    return out;
}

std::string text_of(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string first_line(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

}  // namespace

Result<std::vector<Listening>> listening() {
    const io::Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (!socket) return failed();
    std::vector<Listening> out;
    for (const int family : {AF_INET, AF_INET6}) {
        for (const Transport transport : {Transport::tcp, Transport::udp}) {
            if (auto dumped = dump(socket.get(), family, transport, out); !dumped) return fail(dumped.error());
        }
    }
    const auto held_by = holders();
    std::map<std::tuple<Transport, SocketAddress, bool, pid_t>, Listening> groups;
    for (Listening& one : out) {
        if (const auto holder = held_by.find(one.inode); holder != held_by.end()) {
            one.pid = holder->second;
            one.process = first_line("/proc/" + std::to_string(one.pid) + "/comm");
            one.unit = unit_of(text_of("/proc/" + std::to_string(one.pid) + "/cgroup"));
        }
        const auto [group, fresh] = groups.try_emplace({one.transport, one.address, one.v6_only, one.pid}, one);
        if (!fresh) ++group->second.sockets;
    }
    out.clear();
    for (auto& [_, one] : groups) out.push_back(std::move(one));
    return out;
}

}  // namespace sallyport::firewall
