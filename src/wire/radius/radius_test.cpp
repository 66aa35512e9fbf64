#include "wire/radius/radius.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::radius;

namespace {

using Octets = std::vector<std::byte>;

Octets attribute(unsigned type, std::string_view value) {
    Octets out{std::byte(type), std::byte(value.size() + 2)};
    for (const char c : value) out.push_back(std::byte(c));
    return out;
}

Octets packet(std::initializer_list<Octets> attributes, unsigned code = 4) {
    Octets out{std::byte(code), std::byte(9), std::byte(0), std::byte(0)};
    for (int i = 0; i < 16; ++i) out.push_back(std::byte(0xA0 + i));
    for (const Octets& one : attributes) out.insert(out.end(), one.begin(), one.end());
    out[2] = std::byte(out.size() >> 8);
    out[3] = std::byte(out.size() & 0xFF);
    return out;
}

const std::string start("\0\0\0\1", 4);

}  // namespace

TEST(Radius, ReadsWhoCameAndFromWhere) {
    const std::string v6("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16);
    const auto bytes =
        packet({attribute(40, start), attribute(1, "alice"), attribute(31, "02-00-5E-10-00-01"), attribute(44, "s1"),
                attribute(8, std::string("\x0a\1\2\3", 4)), attribute(168, v6), attribute(26, "a vendor's")});
    const auto read = read_accounting(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id, 9);
    EXPECT_EQ(read->status, Status::start);
    EXPECT_EQ(read->user, "alice");
    EXPECT_EQ(read->calling, "02-00-5E-10-00-01");
    EXPECT_EQ(read->session, "s1");
    EXPECT_EQ(read->v4, IpAddress::parse("10.1.2.3"));
    EXPECT_EQ(read->v6, IpAddress::parse("2001:db8::7"));
    EXPECT_FALSE(read->nas);
    EXPECT_EQ(read_accounting(packet({attribute(95, v6)}))->nas, IpAddress::parse("2001:db8::7"));
    EXPECT_EQ(read_accounting(packet({attribute(4, "\x0a\1\2\4"), attribute(95, v6)}))->nas,
              IpAddress::parse("10.1.2.4"));
}

TEST(Radius, TellsTheKindsOfWordApart) {
    const std::pair<int, Status> cases[] = {{1, Status::start},     {2, Status::stop},       {3, Status::interim},
                                            {7, Status::server_on}, {8, Status::server_off}, {15, Status::other}};
    for (const auto& [value, status] : cases) {
        const auto bytes = packet({attribute(40, std::string("\0\0\0", 3) + static_cast<char>(value))});
        EXPECT_EQ(read_accounting(bytes)->status, status) << value;
    }
}

TEST(Radius, TakesPaddingForPadding) {
    auto bytes = packet({attribute(40, start)});
    const auto size = bytes.size();
    bytes.resize(size + 10, std::byte(0xFF));
    const auto read = read_accounting(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(request_to_sign(*read).size(), size);
}

TEST(Radius, RefusesWhatIsNoAccountingRequest) {
    const auto good = packet({attribute(40, start), attribute(1, "alice")});
    for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(read_accounting(Bytes(good).first(n))) << n;
    struct Case {
        const char* name;
        Octets bytes;
    };
    const Case cases[] = {
        {"an Access-Request", packet({attribute(40, start)}, 1)},
        {"an attribute of length 0", packet({{std::byte(1), std::byte(0)}})},
        {"an attribute of length 1", packet({{std::byte(1), std::byte(1)}})},
        {"an attribute that overruns", packet({{std::byte(1), std::byte(9), std::byte('a')}})},
        {"a type alone", packet({{std::byte(1)}})},
        {"a status of three octets", packet({attribute(40, std::string("\0\0\1", 3))})},
        {"an address of five", packet({attribute(8, "\x0a\1\2\3\4")})},
        {"an IPv6 address of four", packet({attribute(168, "\x0a\1\2\3")})},
        {"an access server's of five", packet({attribute(4, "\x0a\1\2\3\4")})},
        {"an empty user", packet({attribute(1, "")})},
    };
    for (const Case& c : cases) EXPECT_FALSE(read_accounting(c.bytes)) << c.name;
}

TEST(Radius, SignsTheRequestWithZerosAndTheResponseWithTheRequestsAuthenticator) {
    const auto bytes = packet({attribute(40, start)});
    const auto read = read_accounting(bytes);
    auto zeroed = bytes;
    std::fill_n(zeroed.begin() + 4, 16, std::byte(0));
    EXPECT_EQ(request_to_sign(*read), zeroed);
    const auto response = response_to_sign(*read);
    EXPECT_EQ(response[0], std::byte(5));
    EXPECT_EQ(response[1], std::byte(9));
    EXPECT_EQ(response[3], std::byte(20));
    EXPECT_TRUE(std::ranges::equal(Bytes(response).subspan(4), Bytes(bytes).subspan(4, 16)));
}
