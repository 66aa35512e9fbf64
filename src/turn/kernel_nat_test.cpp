// What the kernel answers about its connections, as bytes; tests/net asks the real one.
#include "turn/kernel_nat.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace sallyport::turn {
namespace {

SocketAddress at(std::string_view text) { return *SocketAddress::parse(text); }

// In the order of the machine, as netlink has its own numbers.
std::string u16(std::uint16_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }
std::string u32(std::uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

std::string attribute(std::uint16_t type, const std::string& value) {
    return u16(static_cast<std::uint16_t>(4 + value.size())) + u16(type) + value + std::string(-value.size() % 4, '\0');
}
std::string nested(std::uint16_t type, const std::string& inner) { return attribute(0x8000 | type, inner); }

std::string port(std::uint16_t number) { return {static_cast<char>(number >> 8), static_cast<char>(number)}; }
std::string raw(const IpAddress& ip) {
    const auto bytes = std::span(ip.bytes()).last(ip.is_v4() ? 4 : 16);
    return {bytes.begin(), bytes.end()};
}

std::string tuple(std::string_view from, std::string_view to, char protocol) {
    const bool v4 = at(from).ip.is_v4();
    const std::string addresses = attribute(v4 ? 1 : 3, raw(at(from).ip)) + attribute(v4 ? 2 : 4, raw(at(to).ip));
    const std::string ports =
        attribute(1, std::string(1, protocol)) + attribute(2, port(at(from).port)) + attribute(3, port(at(to).port));
    return nested(1, addresses) + nested(2, ports);
}

std::string message(std::uint16_t type, const std::string& body) {
    return u32(static_cast<std::uint32_t>(16 + body.size())) + u16(type) + u16(2) + u32(1) + u32(0) + body;
}

constexpr char udp = 17, tcp = 6;

std::string connection(std::string_view from, std::string_view peer, std::string_view seen_as, char protocol = udp) {
    return message(0x0100, std::string("\2\0\0\0", 4) + nested(1, tuple(from, peer, protocol)) +
                               nested(2, tuple(peer, seen_as, protocol)));
}
const std::string done = message(3, u32(0));

std::string found(const std::string& bytes, std::string_view client = "10.9.0.2:5000") {
    MappingSearch search(at(client));
    search.take(as_bytes(bytes));
    return search.found() ? search.found()->to_string() : "none";
}

TEST(KernelNat, FindsWhereAClientIsSeenToComeFrom) {
    const std::string one = connection("10.9.0.2:5000", "8.8.8.8:53", "198.51.100.1:61000");
    EXPECT_EQ(found(one + done), "198.51.100.1:61000");
    EXPECT_EQ(found(one + connection("10.9.0.2:5000", "1.1.1.1:53", "198.51.100.1:61000") + done),
              "198.51.100.1:61000");
    EXPECT_EQ(found(connection("[fd00::2]:5000", "[2606:4700::1]:53", "[2001:db8::1]:7"), "[fd00::2]:5000"),
              "[2001:db8::1]:7");
}

TEST(KernelNat, GuessesNothing) {
    const std::string one = connection("10.9.0.2:5000", "8.8.8.8:53", "198.51.100.1:61000");
    EXPECT_EQ(found(done), "none");
    EXPECT_EQ(found(one + connection("10.9.0.2:5000", "1.1.1.1:53", "198.51.100.1:61001")), "none");
    EXPECT_EQ(found(one, "10.9.0.2:5001"), "none");
    EXPECT_EQ(found(one, "10.9.0.3:5000"), "none");
    EXPECT_EQ(found(connection("10.9.0.2:5000", "10.9.0.1:3478", "10.9.0.2:5000")), "none");  // passes no NAT
    EXPECT_EQ(found(connection("10.9.0.2:5000", "8.8.8.8:80", "198.51.100.1:61000", tcp)), "none");
}

TEST(KernelNat, StopsAtTheEndAndAtAnError) {
    MappingSearch search(at("10.9.0.2:5000"));
    const std::string one = connection("10.9.0.2:5000", "8.8.8.8:53", "198.51.100.1:61000");
    EXPECT_TRUE(search.take(as_bytes(one)));
    EXPECT_FALSE(search.take(as_bytes(done)));
    EXPECT_FALSE(search.take(as_bytes(message(2, u32(0xFFFFFFFF)))));
}

TEST(KernelNat, ReadsNothingBeyondWhatCame) {
    const std::string all = connection("10.9.0.2:5000", "8.8.8.8:53", "198.51.100.1:61000") + done;
    for (std::size_t size = 0; size < all.size(); ++size) {
        MappingSearch search(at("10.9.0.2:5000"));
        const std::string part = all.substr(0, size);  // of its own, so that a sanitizer sees its end
        search.take(as_bytes(part));
    }
    for (std::size_t place = 0; place < all.size(); ++place) {
        for (const char value : {'\0', '\1', '\x7F', '\xFF'}) {
            std::string changed = all;
            changed[place] = value;
            MappingSearch search(at("10.9.0.2:5000"));
            search.take(as_bytes(changed));
        }
    }
}

TEST(KernelNat, AsksForOneClientAlone) {
    const auto query = connections_query(at("10.9.0.2:5000"));
    std::uint32_t size = 0;
    std::memcpy(&size, query.data(), sizeof size);
    EXPECT_EQ(size, query.size());
    const std::string text(as_text(query));
    EXPECT_NE(text.find(attribute(1, raw(at("10.9.0.2:1").ip))), std::string::npos);
    EXPECT_NE(text.find(attribute(2, port(5000))), std::string::npos);
}

}  // namespace
}  // namespace sallyport::turn
