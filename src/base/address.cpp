#include "base/address.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace sallyport {

namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// The first `bits` of 64 in network order, the others cleared. A shift by 64 is undefined, so 0 is told apart.
std::uint64_t kept(std::uint64_t network_order, unsigned bits) {
    return bits == 0 ? 0 : network_order & htobe64(~std::uint64_t{0} << (64 - bits));
}

std::array<std::uint8_t, 16> masked(const std::array<std::uint8_t, 16>& bytes, unsigned bits) {
    auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
    halves[0] = kept(halves[0], std::min(bits, 64U));
    halves[1] = kept(halves[1], bits > 64 ? bits - 64 : 0);
    return std::bit_cast<std::array<std::uint8_t, 16>>(halves);
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
    IpAddress out;
    std::ranges::copy(mapped_prefix, out.bytes_.begin());
    for (unsigned i = 0; i < 4; ++i) out.bytes_[12 + i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return out;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& network_order) {
    IpAddress out;
    out.bytes_ = network_order;
    return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::ranges::copy(text, terminated.begin());
    in_addr four{};
    if (inet_pton(AF_INET, terminated.data(), &four) == 1) return v4(ntohl(four.s_addr));
    std::array<std::uint8_t, 16> six{};
    if (inet_pton(AF_INET6, terminated.data(), six.data()) == 1) return v6(six);
    return std::nullopt;
}

bool IpAddress::is_v4() const { return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin()); }

bool IpAddress::is_loopback() const {
    if (is_v4()) return bytes_[12] == 127;
    return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto b) { return b == 0; });
}

bool IpAddress::is_unspecified() const {
    const auto from = is_v4() ? bytes_.begin() + 12 : bytes_.begin();
    return std::all_of(from, bytes_.end(), [](auto b) { return b == 0; });
}

std::uint32_t IpAddress::v4_host_order() const {
    std::uint32_t out = 0;
    for (unsigned i = 12; i < 16; ++i) out = out << 8 | bytes_[i];
    return out;
}

std::string IpAddress::to_string() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_v4())
        inet_ntop(AF_INET, bytes_.data() + 12, text.data(), text.size());
    else
        inet_ntop(AF_INET6, bytes_.data(), text.data(), text.size());
    return text.data();
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto ip = IpAddress::parse(host);
    // An IPv6 address without brackets could swallow its own port.
    if (!ip || !port || bracketed != (host.find(':') != std::string_view::npos)) return std::nullopt;
    return SocketAddress{*ip, *port};
}

SocketAddress SocketAddress::from(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in four{};
        std::memcpy(&four, &address, sizeof four);
        return {IpAddress::v4(ntohl(four.sin_addr.s_addr)), ntohs(four.sin_port)};
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 six{};
        std::memcpy(&six, &address, sizeof six);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
        return {IpAddress::v6(bytes), ntohs(six.sin6_port)};
    }
    return {};
}

unsigned SocketAddress::to_sockaddr(sockaddr_storage& storage) const {
    storage = {};
    if (ip.is_v4()) {
        sockaddr_in four{};
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        four.sin_addr.s_addr = htonl(ip.v4_host_order());
        std::memcpy(&storage, &four, sizeof four);
        return sizeof four;
    }
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&six.sin6_addr, ip.bytes().data(), 16);
    std::memcpy(&storage, &six, sizeof six);
    return sizeof six;
}

std::string SocketAddress::to_string() const {
    const std::string host = ip.to_string();
    return (ip.is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

Network::Network(IpAddress address, unsigned bits) {
    mapped_bits_ = static_cast<std::uint8_t>(address.is_v4() ? 96 + std::min(bits, 32U) : std::min(bits, 128U));
    address_ = IpAddress::v6(masked(address.bytes(), mapped_bits_));
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto ip = IpAddress::parse(text.substr(0, slash));
    if (!ip) return std::nullopt;
    const unsigned most = ip->is_v4() ? 32 : 128;
    if (slash == std::string_view::npos) return Network(*ip, most);
    const auto bits = parse_number<unsigned>(text.substr(slash + 1));
    if (!bits || *bits > most) return std::nullopt;
    return Network(*ip, *bits);
}

bool Network::contains(const IpAddress& address) const {
    // ::/0 holds every IPv6 address but no IPv4 one: the mapped form is ours, not the user's.
    if (address.is_v4() != address_.is_v4()) return false;
    return masked(address.bytes(), mapped_bits_) == address_.bytes();
}

std::string Network::to_string() const { return address_.to_string() + "/" + std::to_string(bits()); }

}  // namespace sallyport

std::size_t std::hash<sallyport::IpAddress>::operator()(const sallyport::IpAddress& address) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, address.bytes().data(), 8);
    std::memcpy(&low, address.bytes().data() + 8, 8);
    // Multiplying carries upwards only, and what differs in IPv4 stands in the upper half: fold it down between.
    std::uint64_t mixed = high ^ std::rotl(low, 32);
    mixed *= 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 32;
    mixed *= 0xBF58476D1CE4E5B9ULL;
    return mixed ^ (mixed >> 29);
}
