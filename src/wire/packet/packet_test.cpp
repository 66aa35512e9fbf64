#include "wire/packet/packet.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::packet {
namespace {

std::string hex(std::string_view text) {
    std::string out;
    int high = -1;
    for (const char c : text) {
        if (c == ' ') continue;
        const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        if (high < 0) {
            high = digit;
        } else {
            out += static_cast<char>(high << 4 | digit);
            high = -1;
        }
    }
    return out;
}

constexpr auto raw = static_cast<std::uint16_t>(LinkType::raw);
constexpr std::string_view from_to = "20010DB8000000000000000000000001 20010DB8000000000000000000000002";
const std::string syn = "9C40 01BB 00000001 00000000 6002 FAF0 0000 0000 020405A0";

std::string v6(std::string_view next, std::size_t length, std::string_view rest) {
    char head[32];
    std::snprintf(head, sizeof head, "60000000 %04zx %s 3F ", length, std::string(next).c_str());
    return hex(std::string(head) + std::string(from_to) + std::string(rest));
}

TEST(Packet, FindsTheTransportBehindEveryExtensionHeader) {
    struct Case {
        const char* name;
        std::string bytes;
        bool transport;
    };
    const std::string tcp = hex(syn);
    const Case cases[] = {
        {"none", v6("06", 24, syn), true},
        {"hop by hop", v6("00", 32, "06 00 0502 0000 0100" + syn), true},
        {"routing, then destination options", v6("2B", 40, "3C 00 0000 00000000 06 00 0104 00000000" + syn), true},
        {"authentication", v6("33", 48, "06 04 0000 00000000 00000000 00000000 00000000 00000000" + syn), true},
        {"an atomic fragment", v6("2C", 32, "06 00 0000 00000007" + syn), true},
        {"the first fragment", v6("2C", 32, "06 00 0001 00000007" + syn), true},
        {"a later fragment", v6("2C", 32, "06 00 0009 00000007" + syn), false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Packet packet;
        ASSERT_TRUE(decode(raw, as_bytes(c.bytes), packet));
        EXPECT_EQ(packet.transport, c.transport);
        EXPECT_EQ(packet.later_fragment, !c.transport);
        EXPECT_EQ(packet.protocol, protocol::tcp);
        EXPECT_EQ(packet.source.to_string(), "2001:db8::1");
        if (!c.transport) continue;
        EXPECT_EQ(packet.destination_port, 443);
        EXPECT_EQ(packet.tcp.maximum_segment, 1440);
        EXPECT_EQ(packet.payload_length, 0U);
    }
}

TEST(Packet, ReadsWhatIcmpErrorsQuote) {
    const std::string v6_too_big = v6("3A", 72,
                                      "0200 0000 00000514"
                                      "60000000 0018 06 40" +
                                          std::string(from_to) + syn);
    Packet packet;
    ASSERT_TRUE(decode(raw, as_bytes(v6_too_big), packet));
    EXPECT_EQ(packet.icmp.mtu, 1300U);
    ASSERT_TRUE(packet.icmp.quotes);
    EXPECT_EQ(packet.icmp.quoted.source_port, 40000);
    EXPECT_EQ(packet.icmp.quoted.sequence, 1U);

    const std::string v4_unreachable =
        hex("4500 0038 0000 0000 40 01 0000 C6336401 0A090002 0304 0000 0000 0578"
            "4500 003C 0000 4000 3F 06 0000 0A090002 C633640A 9C40 01BB 00000001");
    ASSERT_TRUE(decode(raw, as_bytes(v4_unreachable), packet));
    EXPECT_EQ(packet.icmp.mtu, 1400U);
    ASSERT_TRUE(packet.icmp.quotes);
    EXPECT_EQ(packet.icmp.quoted.destination.to_string(), "198.51.100.10");
    EXPECT_EQ(packet.icmp.quoted.destination_port, 443);
}

TEST(Packet, AFrameCutAnywhereIsReadAsFarAsItGoes) {
    const std::string whole = v6("00", 36, "06 00 0502 0000 0100" + syn + "41424344");
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        SCOPED_TRACE(size);
        Packet packet;
        const bool ip = decode(raw, as_bytes(std::string_view(whole).substr(0, size)), packet);
        EXPECT_EQ(ip, size >= 48);  // both headers
        EXPECT_EQ(packet.transport, size >= 68);  // and the fixed part of TCP's
        if (packet.transport) EXPECT_EQ(packet.payload_length, 4U);
        EXPECT_LE(packet.payload.size(), 4U);
    }
}

TEST(Packet, LengthsThatLieAreHeldToTheFrame) {
    struct Case {
        const char* name;
        std::string bytes;
        bool ip;
        bool transport;
    };
    const Case cases[] = {
        {"an IPv4 header of 16 bytes", hex("44000014 00000000 40110000 0A000001 0A000002"), false, false},
        {"a total length below the header", hex("45000010 00000000 40110000 0A000001 0A000002"), false, false},
        {"a total length of zero, as offload leaves it",
         hex("45000000 00000000 40110000 0A000001 0A000002 0035 0036 0008 0000"), true, true},
        {"UDP that claims more than IP", hex("4500001C 00000000 40110000 0A000001 0A000002 0035 0036 FFFF 0000"), true,
         true},
        {"UDP of length zero", hex("4500001C 00000000 40110000 0A000001 0A000002 0035 0036 0000 0000"), true, true},
        {"a TCP header beyond the datagram",
         hex("45000028 00000000 40060000 0A000001 0A000002 0035 0036 00000000 00000000 F000 0000 0000 0000"), true,
         false},
        {"IPv7", hex("75000028"), false, false},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        Packet packet;
        EXPECT_EQ(decode(raw, as_bytes(c.bytes), packet), c.ip);
        EXPECT_EQ(packet.transport, c.transport);
        EXPECT_TRUE(packet.payload.empty());
        EXPECT_EQ(packet.payload_length, 0U);
    }
}

TEST(Packet, NflogCarriesThePacketInAnAttribute) {
    const std::string head = hex("0200 0005 0800 0100 08000300 1C00 0900");
    const std::string ip = hex("45000018 00000000 40110000 0A000001 0A000002 0035 0036");
    Packet packet;
    ASSERT_TRUE(decode(static_cast<std::uint16_t>(LinkType::nflog), as_bytes(head + ip), packet));
    EXPECT_EQ(packet.source.to_string(), "10.0.0.1");
    EXPECT_FALSE(packet.transport);
    EXPECT_FALSE(
        decode(static_cast<std::uint16_t>(LinkType::nflog), as_bytes(hex("0200 0005 FF00 0900") + ip), packet));
}

}  // namespace
}  // namespace sallyport::packet
