#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/network_map.hpp"
#include "base/text.hpp"
#include "base/time.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

using namespace sallyport;

TEST(IpAddress, ParsesAndPrintsItsCanonicalForm) {
    struct Case {
        const char* text;
        const char* printed;
        bool v4;
    };
    const Case cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"::ffff:192.0.2.1", "192.0.2.1", true},
        {"2001:DB8::0001", "2001:db8::1", false},
        {"::", "::", false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.text);
        const auto ip = IpAddress::parse(c.text);
        ASSERT_TRUE(ip);
        EXPECT_EQ(ip->to_string(), c.printed);
        EXPECT_EQ(ip->is_v4(), c.v4);
    }
    for (const char* bad : {"", "192.0.2", "192.0.2.256", "[::1]", "fe80::1%eth0", "1.2.3.4 ", "01.2.3.4x"}) {
        EXPECT_FALSE(IpAddress::parse(bad)) << bad;
    }
}

TEST(SocketAddress, NeedsBracketsRoundIpv6AndAPort) {
    EXPECT_EQ(SocketAddress::parse("192.0.2.1:443")->to_string(), "192.0.2.1:443");
    EXPECT_EQ(SocketAddress::parse("[2001:db8::1]:443")->to_string(), "[2001:db8::1]:443");
    for (const char* bad :
         {"192.0.2.1", "2001:db8::1:443", "[192.0.2.1]:443", ":443", "192.0.2.1:65536", "192.0.2.1:"}) {
        EXPECT_FALSE(SocketAddress::parse(bad)) << bad;
    }
}

TEST(SocketAddress, SurvivesTheTripThroughTheKernelsForm) {
    for (const char* text : {"192.0.2.1:443", "[2001:db8::1]:65535"}) {
        sockaddr_storage storage;
        const auto address = *SocketAddress::parse(text);
        address.to_sockaddr(storage);
        EXPECT_EQ(SocketAddress::from(reinterpret_cast<const sockaddr&>(storage)), address);
    }
}

TEST(Network, ClearsHostBitsAndKeepsTheFamiliesApart) {
    EXPECT_EQ(Network::parse("10.1.2.3/8")->to_string(), "10.0.0.0/8");
    EXPECT_EQ(Network::parse("2001:db8::1/32")->to_string(), "2001:db8::/32");
    EXPECT_EQ(Network::parse("192.0.2.1")->to_string(), "192.0.2.1/32");
    for (const char* bad : {"10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/-1"})
        EXPECT_FALSE(Network::parse(bad)) << bad;

    const auto in = [](const char* network, const char* address) {
        return Network::parse(network)->contains(*IpAddress::parse(address));
    };
    EXPECT_TRUE(in("0.0.0.0/0", "192.0.2.1"));
    EXPECT_FALSE(in("::/0", "192.0.2.1"));
    EXPECT_FALSE(in("0.0.0.0/0", "2001:db8::1"));
    EXPECT_TRUE(in("10.0.0.0/9", "10.127.255.255"));
    EXPECT_FALSE(in("10.0.0.0/9", "10.128.0.0"));
}

TEST(NetworkMap, AnswersWithTheLongestNetwork) {
    NetworkMap<int> map;
    map.add(*Network::parse("0.0.0.0/0"), 0);
    map.add(*Network::parse("10.0.0.0/8"), 8);
    map.add(*Network::parse("10.1.0.0/16"), 16);
    map.add(*Network::parse("10.1.2.3"), 32);
    map.add(*Network::parse("2001:db8::/32"), 6);
    const auto find = [&](const char* text) {
        const int* found = map.find(*IpAddress::parse(text));
        return found ? *found : -1;
    };
    EXPECT_EQ(find("192.0.2.1"), 0);
    EXPECT_EQ(find("10.9.9.9"), 8);
    EXPECT_EQ(find("10.1.9.9"), 16);
    EXPECT_EQ(find("10.1.2.3"), 32);
    EXPECT_EQ(find("2001:db8::9"), 6);
    EXPECT_EQ(find("2001:db9::9"), -1);
}

// The oracle is a walk over all networks.
TEST(NetworkMap, AgreesWithAWalkOverTenThousandNetworks) {
    std::mt19937 random(5);
    NetworkMap<std::size_t> map;
    std::vector<Network> networks;
    const auto some_address = [&random] {
        // Few different leading bits, so that networks nest; both families.
        if (random() % 4 != 0) return IpAddress::v4(0x0A000000U | (static_cast<std::uint32_t>(random()) & 0x000FFFFFU));
        std::array<std::uint8_t, 16> bytes{0x20, 0x01};
        for (std::size_t i = 6; i < 16; ++i) bytes[i] = static_cast<std::uint8_t>(random() % 4);
        return IpAddress::v6(bytes);
    };
    for (std::size_t i = 0; i < 10'000; ++i) {
        const IpAddress address = some_address();
        const Network network(address, static_cast<unsigned>(random() % (address.is_v4() ? 33 : 129)));
        map.add(network, networks.size());
        if (std::ranges::find(networks, network) == networks.end())
            networks.push_back(network);
        else
            networks.push_back({IpAddress{}, 128});  // keeps the indices in step; "::" is asked for by nobody
    }
    for (int i = 0; i < 2'000; ++i) {
        const IpAddress address = some_address();
        const Network* longest = nullptr;
        for (const Network& network : networks) {
            if (network.contains(address) && (longest == nullptr || network.bits() > longest->bits()))
                longest = &network;
        }
        const std::size_t* found = map.find(address);
        ASSERT_EQ(found != nullptr, longest != nullptr) << address.to_string();
        if (found != nullptr) ASSERT_EQ(networks[*found], *longest) << address.to_string();
    }
}

TEST(ByteReader, NeverReadsPastItsEndAndAParentBoundsItsChild) {
    const std::array bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}};
    ByteReader reader(bytes);
    auto child = reader.sub(3);
    ASSERT_TRUE(child);
    EXPECT_EQ(child->u16(), 0x0102);
    EXPECT_FALSE(child->u16());
    EXPECT_EQ(child->u8(), 3);
    EXPECT_FALSE(reader.u32());
    EXPECT_EQ(reader.u16(), 0x0405);
    EXPECT_FALSE(reader.sub(1));
}

TEST(ByteWriter, RemembersThatSomethingDidNotFit) {
    std::array<std::byte, 4> room{};
    ByteWriter writer(room);
    writer.u24(0x010203);
    writer.u16(7);
    writer.u8(4);
    EXPECT_FALSE(writer.ok());
    EXPECT_EQ(writer.size(), 3U);
}

TEST(Text, NearestFindsTypingErrorsAndNothingElse) {
    const std::array<std::string_view, 3> known{"plain_port", "tls_port", "target"};
    EXPECT_EQ(nearest("plan_port", known), "plain_port");
    EXPECT_EQ(nearest("tsl_port", known), "tls_port");
    EXPECT_EQ(nearest("elephant", known), "");
    const std::array<std::string_view, 2> names{"hq.example.com", "mail.example.org"};
    EXPECT_EQ(nearest("hq.exmaple.com", names), "hq.example.com");
    EXPECT_EQ(nearest("wild.example.com", names), "") << "another host of the domain is no typing error";
}

TEST(Time, IsWrittenInUtcWithMilliseconds) {
    const WallTime time{std::chrono::milliseconds{1772366400250}};
    EXPECT_EQ(to_rfc3339(time), "2026-03-01T12:00:00.250Z");
    EXPECT_EQ(to_http_date(time), "Sun, 01 Mar 2026 12:00:00 GMT");
}
