#include "wire/proxy/proxy_header.hpp"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

using namespace sallyport;
using namespace sallyport::proxy;
using namespace std::string_literals;

namespace {

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string four = "\xC0\x00\x02\x01\xC6\x33\x64\x02\xDC\x04\x01\xBB"s;  // 192.0.2.1:56324 to 198.51.100.2:443
const char* const four_said = "192.0.2.1:56324 > 198.51.100.2:443";

std::string counted(std::string_view what) {
    return std::string{static_cast<char>(what.size() >> 8), static_cast<char>(what.size())} + std::string(what);
}
std::string binary(char version_and_command, char family, std::string_view block) {
    return signature + version_and_command + family + counted(block);
}
std::string tlv(char type, std::string_view value) { return type + counted(value); }

// What HAProxy sent: tests/data/proxy.
std::string vector(const std::string& name) {
    std::ifstream file(SALLYPORT_SOURCE_DIR "/tests/data/proxy/" + name + ".bin", std::ios::binary);
    EXPECT_TRUE(file) << name;
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string say(std::string_view bytes, std::size_t* length = nullptr) {
    Header header;
    const auto result = read_header(as_bytes(bytes), header);
    if (result.state == HeaderResult::State::need_more) return "more";
    if (result.state == HeaderResult::State::refused) return "! " + std::string(text(result.error));
    if (length != nullptr) *length = result.length;
    if (header.local) return header.source == SocketAddress{} ? "local" : "local, and a source";
    return header.source.to_string() + " > " + header.destination.to_string();
}

// Whole as it is, and in its place: one byte less is not enough, what follows does not count.
void expect_whole(const std::string& header, const std::string& answer) {
    std::size_t length = 0;
    EXPECT_EQ(say(header, &length), answer);
    EXPECT_EQ(length, header.size());
    for (std::size_t n = 0; n < header.size(); ++n) ASSERT_EQ(say(std::string_view(header).substr(0, n)), "more") << n;
    for (const std::string& behind : {"\r"s, "\n"s, "\0"s, "PROXY "s, signature, std::string(3000, 'x')}) {
        EXPECT_EQ(say(header + behind, &length), answer);
        EXPECT_EQ(length, header.size());
    }
}

std::string written(Version version, const char* source, const char* destination) {
    std::array<std::byte, 107> room{};
    ByteWriter out(room);
    write_header(out, version, *SocketAddress::parse(source), *SocketAddress::parse(destination));
    EXPECT_TRUE(out.ok());
    return std::string(as_text(out.written()));
}

const char* const malformed = "! a malformed PROXY header";
const char* const not_proxy = "! not a PROXY header";
const char* const unsupported = "! a PROXY header of an unknown version, command or transport";
const char* const too_long = "! a PROXY header that is too long";

}  // namespace

TEST(ProxyHeader, ReadsWhatHAProxySends) {
    const std::string six_said = "[2001:db8::1]:56324 > [2001:db8:0:1::2]:443";
    const std::string mixed_said = "192.0.2.1:56324 > [2001:db8:0:1::2]:443";
    struct Case {
        const char* name;
        std::string answer;
    };
    const Case cases[] = {
        {"v1-tcp4", four_said},
        {"v1-tcp6", six_said},
        {"v1-tcp6-longest",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1]:65535 > [ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff2]:65534"},
        {"v1-tcp6-mapped", mixed_said},
        {"v1-unknown", "local"},
        {"v2-tcp4", four_said},
        {"v2-tcp6", six_said},
        {"v2-tcp6-mapped", mixed_said},
        {"v2-unix", "local"},
        {"v2-tcp4-crc32c", four_said},
        {"v2-tcp6-crc32c-unique-id", six_said},
        {"v2-unix-crc32c", "local"},
        {"v2-tcp4-ssl", four_said},
        {"v2-tcp4-ssl-all", four_said},
        {"v2-local", "local"},
        {"v2-local-crc32c", "local"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        expect_whole(vector(c.name), c.answer);
    }
}

TEST(ProxyHeader, ReadsWhatElseTheSpecificationAllows) {
    const std::string unix_block(216, '/');
    struct Case {
        const char* name;
        std::string header;
        const char* answer;
    };
    const Case cases[] = {
        {"the lowest ports", "PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", "0.0.0.0:0 > 255.255.255.255:65535"},
        {"capital letters and leading zeros in IPv6", "PROXY TCP6 2001:0DB8::00Af ::1 1 2\r\n",
         "[2001:db8::af]:1 > [::1]:2"},
        {"mapped addresses without dots", "PROXY TCP6 ::ffff:c000:201 ::FFFF:c633:6402 56324 443\r\n", four_said},
        {"UNKNOWN with addresses", "PROXY UNKNOWN 192.0.2.1 nonsense \t\x80 1\r\n", "local"},
        {"UNKNOWN of 107 bytes", "PROXY UNKNOWN " + std::string(91, 'f') + "\r\n", "local"},
        {"LOCAL with addresses", binary(0x20, 0x11, four), "local"},
        {"LOCAL of a family that nobody knows", binary(0x20, 0x77, "whatever"), "local"},
        {"PROXY for an unspecified family", binary(0x21, 0x00, "whatever"), "local"},
        {"a Unix socket", binary(0x21, 0x31, unix_block + tlv(4, "")), "local"},
        {"unknown and custom TLVs", binary(0x21, 0x11, four + tlv(0x77, "a") + tlv('\xEA', "") + tlv(4, "\0\0"s)),
         four_said},
        {"an SSL TLV without any within", binary(0x21, 0x11, four + tlv(0x20, "\0\0\0\0\0"s)), four_said},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        expect_whole(c.header, c.answer);
    }
    // Too many prefixes to try each: the largest block.
    EXPECT_EQ(say(binary(0x21, 0x11, four + tlv(4, std::string(max_block - 15, 'p')))), four_said);
}

// Each line is refused at its last byte at the latest; what would follow is not waited for.
TEST(ProxyHeader, RefusesLinesAtTheFirstWrongByte) {
    struct Case {
        const char* name;
        std::string bytes;
        const char* answer;
    };
    const std::string to_ports = "PROXY TCP4 192.0.2.1 198.51.100.2 ";
    const Case cases[] = {
        {"no header", "G", not_proxy},
        {"a TLS record", "\x16", not_proxy},
        {"POST", "PO", not_proxy},
        {"lower case", "p", not_proxy},
        {"a tab", "PROXY\t", not_proxy},
        {"two spaces before the protocol", "PROXY  ", malformed},
        {"UDP",
         "PROXY U"
         "D",
         malformed},
        {"TCP5", "PROXY TCP5", malformed},
        {"tcp4", "PROXY t", malformed},
        {"no protocol", "PROXY \r", malformed},
        {"UNKNOWN and a letter", "PROXY UNKNOWNX", malformed},
        {"UNKNOWN with a bare LF", "PROXY UNKNOWN\n", malformed},
        {"UNKNOWN with more and a bare LF", "PROXY UNKNOWN x\n", malformed},
        {"UNKNOWN with a bare CR", "PROXY UNKNOWN x\ry", malformed},
        {"UNKNOWN without an end", "PROXY UNKNOWN " + std::string(93, 'f'), too_long},
        {"UNKNOWN of 108 bytes", "PROXY UNKNOWN " + std::string(92, 'f') + "\r", too_long},
        {"no addresses", "PROXY TCP4\r", malformed},
        {"two spaces before the source", "PROXY TCP4  ", malformed},
        {"two spaces before the destination", "PROXY TCP4 192.0.2.1  ", malformed},
        {"a leading zero in an octet", "PROXY TCP4 192.0.02.1 ", malformed},
        {"an octet of 256", "PROXY TCP4 192.0.2.256 ", malformed},
        {"three octets", "PROXY TCP4 192.0.2 ", malformed},
        {"an octet too many", "PROXY TCP4 192.0.2.1.1 ", malformed},
        {"an IPv4 address without an end", "PROXY TCP4 1111111111111111", malformed},
        {"an IPv6 address in TCP4", "PROXY TCP4 2001:", malformed},
        {"a mapped address in TCP4", "PROXY TCP4 :", malformed},
        {"an IPv4 address in TCP6", "PROXY TCP6 192.0.2.1 ", malformed},
        {"mixed families", "PROXY TCP6 ::1 192.0.2.1 ", malformed},
        {"a zone", "PROXY TCP6 fe80::1%", malformed},
        {"brackets", "PROXY TCP6 [", malformed},
        {"five hexadecimal digits", "PROXY TCP6 2001:0db80::1 ", malformed},
        {"two double colons", "PROXY TCP6 1::2::3 ", malformed},
        {"seven groups", "PROXY TCP6 1:2:3:4:5:6:7 ", malformed},
        {"an IPv6 address without an end", "PROXY TCP6 " + std::string(40, 'f'), malformed},
        {"a port with a leading zero", to_ports + "080 ", malformed},
        {"two zeros for a port", to_ports + "00 ", malformed},
        {"a port of 65536", to_ports + "65536 ", malformed},
        {"a negative port", to_ports + "-", malformed},
        {"a port with a sign", to_ports + "+", malformed},
        {"an empty port", to_ports + " ", malformed},
        {"a port of six digits", to_ports + "100000", malformed},
        {"one port", to_ports + "1\r", malformed},
        {"a last port of 65536", to_ports + "1 65536\r", malformed},
        {"a space before the end", to_ports + "1 2 ", malformed},
        {"a bare LF", to_ports + "1 2\n", malformed},
        {"a bare CR", to_ports + "1 2\rx", malformed},
        {"a NUL", to_ports + "1\0"s, malformed},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say(c.bytes), c.answer);
        EXPECT_EQ(say(c.bytes + "x\r\n"), c.answer);
        EXPECT_EQ(say(std::string_view(c.bytes).substr(0, c.bytes.size() - 1)), "more");
    }
}

TEST(ProxyHeader, RefusesBinaryHeadersThatAreNoneAndThatLie) {
    const std::string start = signature + "\x21\x11";
    std::string other_signature = signature;
    other_signature[11] = '\r';
    struct Case {
        const char* name;
        std::string bytes;
        const char* answer;
    };
    const Case cases[] = {
        {"empty lines before a request", "\r\n\r\nG", not_proxy},
        {"another signature", other_signature, not_proxy},
        {"version 1 in binary", signature + "\x11", unsupported},
        {"version 3", signature + "\x31", unsupported},
        {"command 2", signature + "\x22", unsupported},
        {"UDP", signature + "\x21\x12", unsupported},
        {"UDP over IPv6", signature + "\x21\x22", unsupported},
        {"Unix datagrams", signature + "\x21\x32", unsupported},
        {"IPv4 of no transport", signature + "\x21\x10", unsupported},
        {"a transport of no family", signature + "\x21\x01", unsupported},
        {"family 4", signature + "\x21\x41", unsupported},
        {"a block beyond 2 KiB", start + "\x08\x01", too_long},
        {"a block of 64 KiB", start + "\xFF\xFF", too_long},
        {"LOCAL beyond 2 KiB", signature + "\x20\x00\x08\x01"s, too_long},
        {"IPv4 in 11 bytes", start + "\0\x0B"s, malformed},
        {"IPv6 in 35 bytes", signature + "\x21\x21\0\x23"s, malformed},
        {"Unix in 215 bytes", signature + "\x21\x31\0\xD7"s, malformed},
        {"a TLV of two bytes", binary(0x21, 0x11, four + "\4\0"s), malformed},
        {"a TLV that runs past the block", binary(0x21, 0x11, four + "\4\0\2x"s), malformed},
        {"a TLV behind a Unix address that runs past", binary(0x21, 0x31, std::string(216, '/') + "\4\0\2x"s),
         malformed},
        {"an SSL TLV of three bytes", binary(0x21, 0x11, four + tlv(0x20, "\0\0\0"s)), malformed},
        {"a TLV that runs past its SSL TLV", binary(0x21, 0x11, four + tlv(0x20, "\0\0\0\0\0\x21\0\2x"s) + tlv(4, "")),
         malformed},
        {"a checksum of no bytes", binary(0x21, 0x11, four + tlv(3, "")), malformed},
        {"a checksum of three bytes", binary(0x21, 0x11, four + tlv(3, "abc")), malformed},
        {"a checksum of five bytes, the first four right", binary(0x21, 0x11, four + tlv(3, "\xF3\xA4\xE4Pe")),
         malformed},
        {"a checksum of zeros", binary(0x21, 0x11, four + tlv(3, "\0\0\0\0"s)), malformed},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say(c.bytes), c.answer);
        EXPECT_EQ(say(c.bytes + std::string(300, 'x')), c.answer);
        EXPECT_EQ(say(std::string_view(c.bytes).substr(0, c.bytes.size() - 1)), "more");
    }
}

TEST(ProxyHeader, NoticesEveryFlippedBitBelowAChecksum) {
    for (const char* name : {"v2-tcp4-crc32c", "v2-tcp6-crc32c-unique-id", "v2-tcp4-ssl-all"}) {
        SCOPED_TRACE(name);
        const std::string good = vector(name);
        // Not its type nor its length: there it would be another TLV, or none.
        const std::size_t checksum = good.find("\x03\x00\x04"s);
        ASSERT_LT(checksum, good.size());
        for (std::size_t i = 16; i < good.size(); ++i) {
            if (i >= checksum && i < checksum + 3) continue;
            for (int bit = 0; bit < 8; ++bit) {
                std::string bad = good;
                bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
                ASSERT_EQ(say(bad), malformed) << i << ", bit " << bit;
            }
        }
    }
}

TEST(ProxyHeader, TakesNoTwoChecksumsThoughBothHold) {
    const std::string first = tlv(3, "\x32\x1F\x3A\x58");
    const std::string second = tlv(3, "\x41\x71\x5B\x27");
    EXPECT_EQ(say(binary(0x21, 0x11, four + first + second)), malformed);
}

TEST(ProxyHeader, LeavesTheCallersHeaderAloneUnlessComplete) {
    const Header before{.local = false, .source = *SocketAddress::parse("192.0.2.9:9"), .destination = {}};
    for (const std::string& bytes : {"PROXY TCP4 192.0.2.1 198.51.100.2 1 2"s, "PROXY TCP4 192.0.2.1 198.51.100.2 1 x"s,
                                     "PROXY UNKNOWN"s, binary(0x21, 0x11, four + "x")}) {
        Header header = before;
        EXPECT_NE(read_header(as_bytes(bytes), header).state, HeaderResult::State::complete);
        EXPECT_EQ(header.source, before.source);
        EXPECT_FALSE(header.local);
    }
    Header header = before;
    EXPECT_EQ(read_header(as_bytes("PROXY UNKNOWN\r\n"), header).state, HeaderResult::State::complete);
    EXPECT_TRUE(header.local);
    EXPECT_EQ(header.source, SocketAddress{});
}

TEST(ProxyHeader, KnowsTheBeginningOfOne) {
    struct Case {
        std::string bytes;
        bool answer;
    };
    const Case cases[] = {
        {"PROXY TCP4 ", true}, {"PROXY ", true},        {"PROXY", false},       {"PROXYx", false},
        {signature, true},     {"\r\n\r\n\0\r"s, true}, {"\r\n\r\n\0"s, true},  // NUL: refused at this byte
        {"\r\n\r\n"s, false},  {"\r\n\r\n\r\n", false}, {"\r\n\r\0\n"s, false}, {"GET / HTTP/1.1", false},
        {"", false},
    };
    for (const Case& c : cases) EXPECT_EQ(begins_like_header(as_bytes(c.bytes)), c.answer) << c.bytes;
}

TEST(ProxyHeader, WritesByteForByteWhatHAProxyDoes) {
    struct Case {
        const char* name;
        Version version;
        const char* source;
        const char* destination;
    };
    const Case cases[] = {
        {"v1-tcp4", Version::v1, "192.0.2.1:56324", "198.51.100.2:443"},
        {"v1-tcp6", Version::v1, "[2001:db8::1]:56324", "[2001:db8:0:1::2]:443"},
        {"v1-tcp6-longest", Version::v1, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff1]:65535",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff2]:65534"},
        {"v1-tcp6-mapped", Version::v1, "192.0.2.1:56324", "[2001:db8:0:1::2]:443"},
        {"v2-tcp4", Version::v2, "192.0.2.1:56324", "198.51.100.2:443"},
        {"v2-tcp6", Version::v2, "[2001:db8::1]:56324", "[2001:db8:0:1::2]:443"},
        {"v2-tcp6-mapped", Version::v2, "192.0.2.1:56324", "[2001:db8:0:1::2]:443"},
        // A client that reached an IPv6 socket by IPv4 is an IPv4 client.
        {"v1-tcp4", Version::v1, "[::ffff:192.0.2.1]:56324", "[::ffff:198.51.100.2]:443"},
        {"v2-tcp4", Version::v2, "[::ffff:192.0.2.1]:56324", "[::ffff:198.51.100.2]:443"},
    };
    for (const Case& c : cases) EXPECT_EQ(written(c.version, c.source, c.destination), vector(c.name)) << c.name;
}

TEST(ProxyHeader, ReadsBackWhatItWrites) {
    const char* const addresses[] = {"0.0.0.0:0",      "192.0.2.1:1", "255.255.255.255:65535", "[::]:0",
                                     "[::1]:10",       "[::2:1]:443", "[::192.0.2.1]:80",      "[2001:db8::1]:65535",
                                     "[64:ff9b::1]:99"};
    for (const Version version : {Version::v1, Version::v2}) {
        for (const char* source : addresses) {
            for (const char* destination : addresses) {
                const std::string header = written(version, source, destination);
                expect_whole(header, SocketAddress::parse(source)->to_string() + " > " +
                                         SocketAddress::parse(destination)->to_string());
            }
        }
    }
}

TEST(ProxyHeader, WritesNothingBeyondItsRoom) {
    for (const Version version : {Version::v1, Version::v2}) {
        std::array<std::byte, 20> room{};
        ByteWriter out(room);
        write_header(out, version, *SocketAddress::parse("192.0.2.1:1"), *SocketAddress::parse("192.0.2.2:2"));
        EXPECT_FALSE(out.ok());
    }
}
