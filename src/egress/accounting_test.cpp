#include "egress/accounting.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::egress;
using namespace std::chrono_literals;

namespace {

using Octets = std::vector<std::byte>;

const WallTime now{1'800'000'000s};
const IpAddress server = *IpAddress::parse("192.0.2.9");

// As an access server writes one: signed with its secret.
Octets request(std::initializer_list<std::pair<unsigned, std::string>> attributes, std::string_view secret) {
    Octets out{std::byte(4), std::byte(7), std::byte(0), std::byte(0)};
    out.resize(radius::head_size);
    for (const auto& [type, value] : attributes) {
        out.push_back(std::byte(type));
        out.push_back(std::byte(value.size() + 2));
        for (const char c : value) out.push_back(std::byte(c));
    }
    out[2] = std::byte(out.size() >> 8);
    out[3] = std::byte(out.size() & 0xFF);
    Octets with_secret = out;
    for (const char c : secret) with_secret.push_back(std::byte(c));
    const crypto::Md5 signature = crypto::md5(with_secret);
    std::copy(signature.begin(), signature.end(), out.begin() + 4);
    return out;
}

std::string number(unsigned value) { return {'\0', '\0', '\0', static_cast<char>(value)}; }
std::string octets(std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) out += static_cast<char>(value);
    return out;
}
const std::string device = octets({10, 1, 2, 3});

// What a packet does to those who are known.
std::vector<IpAddress> hear(People& people, std::initializer_list<std::pair<unsigned, std::string>> attributes,
                            WallTime when = now, IpAddress from = server) {
    const Octets bytes = request(attributes, "secret");
    const auto said = read_genuine(bytes, "secret");
    EXPECT_TRUE(said);
    return note(*said, from, when, people);
}

}  // namespace

TEST(Accounting, BelievesWhoKnowsTheSecretAlone) {
    const Octets bytes = request({{40, number(1)}, {1, "alice"}, {44, "s1"}, {8, device}}, "secret");
    EXPECT_TRUE(read_genuine(bytes, "secret"));
    EXPECT_FALSE(read_genuine(bytes, "Secret"));
    EXPECT_FALSE(read_genuine(bytes, ""));
    EXPECT_FALSE(read_genuine(request({{40, number(1)}}, ""), "")) << "no secret is no secret";
    for (std::size_t at = 4; at < bytes.size(); ++at) {
        Octets forged = bytes;
        forged[at] ^= std::byte(1);
        EXPECT_FALSE(read_genuine(forged, "secret")) << at;
    }
}

TEST(Accounting, AcknowledgesSoThatTheServerBelievesIt) {
    const Octets bytes = request({{40, number(1)}}, "secret");
    const auto answer = acknowledge(*read_genuine(bytes, "secret"), "secret");
    EXPECT_EQ(answer[0], std::byte(5));
    Octets signed_text(answer.begin(), answer.end());
    std::copy(bytes.begin() + 4, bytes.begin() + 20, signed_text.begin() + 4);
    for (const char c : std::string("secret")) signed_text.push_back(std::byte(c));
    const crypto::Md5 wanted = crypto::md5(signed_text);
    EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), answer.begin() + 4));
}

TEST(Accounting, TellsWhoIsBehindAnAddressUntilTheyLeave) {
    People people;
    const IpAddress address = *IpAddress::parse("10.1.2.3");
    EXPECT_EQ(hear(people, {{40, number(1)}, {1, "alice"}, {31, "02-00-5E-10-00-01:Guests"}, {44, "s1"}, {8, device}}),
              std::vector{address});
    EXPECT_EQ(people.behind(address).user, "alice");
    EXPECT_EQ(people.behind(address).mac, "02:00:5e:10:00:01");
    EXPECT_TRUE(hear(people, {{40, number(3)}, {1, "alice"}, {31, "02005e100001"}, {44, "s1"}, {8, device}}).empty());
    EXPECT_TRUE(hear(people, {{40, number(2)}, {44, "s2"}}).empty()) << "another session";
    EXPECT_TRUE(hear(people, {{40, number(2)}, {44, "s1"}}, now, *IpAddress::parse("192.0.2.10")).empty())
        << "another server's";
    EXPECT_EQ(hear(people, {{40, number(2)}, {44, "s1"}}), std::vector{address});
    EXPECT_EQ(people.behind(address).identity(), "address 10.1.2.3");
}

TEST(Accounting, EndsTheStaysOfAServerThatStartsAnew) {
    People people;
    for (int i = 1; i <= 3; ++i)
        hear(
            people,
            {{40, number(1)}, {1, "u" + std::to_string(i)}, {44, "s" + std::to_string(i)}, {8, octets({10, 1, 0, i})}});
    hear(people, {{40, number(1)}, {1, "other"}, {44, "s1"}, {8, octets({10, 1, 0, 9})}}, now,
         *IpAddress::parse("::1"));
    EXPECT_EQ(hear(people, {{40, number(7)}}).size(), 3U);
    EXPECT_EQ(people.stays().size(), 1U);
}

TEST(Accounting, TellsAccessServersApartThatSpeakThroughOneAnother) {
    People people;
    const auto nas = [](int last) { return std::pair{4U, octets({192, 0, 2, last})}; };
    hear(people, {nas(1), {40, number(1)}, {1, "alice"}, {44, "s1"}, {8, octets({10, 1, 0, 1})}});
    hear(people, {nas(2), {40, number(1)}, {1, "bob"}, {44, "s1"}, {8, octets({10, 1, 0, 2})}});
    hear(people, {nas(2), {40, number(1)}, {1, "carol"}, {44, "s2"}, {8, octets({10, 1, 0, 3})}});
    EXPECT_EQ(hear(people, {nas(2), {40, number(2)}, {44, "s1"}}), std::vector{*IpAddress::parse("10.1.0.2")});
    EXPECT_EQ(hear(people, {nas(2), {40, number(7)}}), std::vector{*IpAddress::parse("10.1.0.3")});
    EXPECT_EQ(people.behind(*IpAddress::parse("10.1.0.1")).user, "alice");
    // One that does not know its own address is known by who sends.
    EXPECT_TRUE(hear(people, {{4, octets({127, 0, 0, 1})}, {40, number(7)}}).empty());
    hear(people, {{4, octets({127, 0, 0, 1})}, {40, number(1)}, {1, "dave"}, {44, "s9"}, {8, octets({10, 1, 0, 4})}});
    EXPECT_EQ(hear(people, {{40, number(7)}}).size(), 1U);
}

TEST(Accounting, TakesNoNameThatCouldNotStandInAList) {
    People people;
    EXPECT_TRUE(hear(people, {{40, number(1)}, {1, "a\nb"}, {44, "s1"}, {8, device}}).empty());
    EXPECT_TRUE(hear(people, {{40, number(1)}, {1, "alice"}, {8, device}}).empty()) << "no session, no end of it";
    EXPECT_TRUE(hear(people, {{40, number(1)}, {1, "alice"}, {44, "s1"}}).empty()) << "no address yet";
    EXPECT_TRUE(people.stays().empty());
}

TEST(Accounting, IsNewsAgainEachHour) {
    People people;
    const auto said = [&](WallTime when) {
        return hear(people, {{40, number(3)}, {1, "alice"}, {44, "s1"}, {8, device}}, when).size();
    };
    EXPECT_EQ(said(now), 1U);
    EXPECT_EQ(said(now + 59min), 0U);
    EXPECT_EQ(said(now + 61min), 1U);
    EXPECT_EQ(said(now + 62min), 0U);
}
