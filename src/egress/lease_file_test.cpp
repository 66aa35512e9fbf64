#include "egress/lease_file.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::egress;
using namespace std::chrono_literals;

namespace {

const WallTime now{1'800'000'000s};

std::string listing(std::string_view text) {
    std::string out;
    for (const DhcpLease& lease : read_leases(text, now)) {
        const auto left = std::chrono::duration_cast<std::chrono::seconds>(lease.until - now).count();
        out += lease.address.to_string() + ' ' + lease.mac + ' ' +
               (lease.until == WallTime::max() ? "ever" : std::to_string(left)) + '\n';
    }
    return out;
}

constexpr std::string_view dnsmasq =
    "1800000100 02:00:5e:10:00:01 10.1.0.1 ipad *\n"
    "0 02:00:5E:10:00:02 10.1.0.2 * 01:02:00:5e:10:00:02\n"
    "1799999999 02:00:5e:10:00:03 10.1.0.3 over *\n"
    "1800000100 06-00:00:00 10.1.0.4 token-ring *\n"
    "nonsense\n"
    "duid 00:01:00:01:2c:11:22:33:02:00:5e:10:00:ff\n"
    "1800000200 123456 2001:db8::1 ipad 00:01:00:01:2c:44:55:66:02:00:5e:10:00:01\n"
    "1800000200 123457 2001:db8::2 mac 00:03:00:01:02:00:5e:10:00:02\n"
    "1800000200 123458 2001:db8::3 other 00:04:11:22:33:44:55:66:77:88\n";

constexpr std::string_view isc =
    "# The format of this file is documented in the dhcpd.leases(5) manual page.\n"
    "authoring-byte-order little-endian;\n\n"
    "lease 10.1.0.1 {\n"
    "  starts 5 2027/01/15 08:00:00;\n"
    "  ends 5 2027/01/15 08:01:40;\n"
    "  binding state active;\n"
    "  next binding state free;\n"
    "  hardware ethernet 02:00:5e:10:00:01;\n"
    "  client-hostname \"ipad\";\n"
    "}\n"
    "lease 10.1.0.2 {\n"
    "  ends never;\n"
    "  binding state active;\n"
    "  hardware ethernet 02:00:5e:10:00:02;\n"
    "}\n"
    "lease 10.1.0.3 {\n"
    "  ends epoch 1800000300; # Fri Jan 15 08:05:00 2027\n"
    "  binding state active;\n"
    "  hardware ethernet 02:00:5e:10:00:03;\n"
    "}\n"
    "lease 10.1.0.1 {\n"
    "  ends 5 2027/01/15 08:03:20;\n"
    "  binding state active;\n"
    "  hardware ethernet 02:00:5e:10:00:09;\n"
    "}\n"
    "lease 10.1.0.2 {\n"
    "  ends 5 2027/01/15 08:03:20;\n"
    "  binding state free;\n"
    "  hardware ethernet 02:00:5e:10:00:02;\n"
    "}\n";

constexpr std::string_view isc6 =
    "default-duid \"\\000\\001\\000\\001,\\021\\\"3\\002\\000^\\020\\000\\377\";\n\n"
    "ia-na \"\\001\\000\\000\\000\\000\\001\\000\\001,DUf\\002\\000^\\020\\000\\001\" {\n"
    "  cltt 5 2027/01/15 08:00:00;\n"
    "  iaaddr 2001:db8::1 {\n"
    "    binding state active;\n"
    "    preferred-life 375;\n"
    "    max-life 600;\n"
    "    ends 5 2027/01/15 08:01:40;\n"
    "  }\n"
    "  iaaddr 2001:db8::2 {\n"
    "    binding state expired;\n"
    "    ends 5 2027/01/15 08:01:40;\n"
    "  }\n"
    "}\n\n"
    "ia-na \"abcd\\000\\003\\000\\001\\002\\\"\\\\\\020{}\" {\n"
    "  iaaddr 2001:db8::3 {\n"
    "    binding state active;\n"
    "    ends never;\n"
    "  }\n"
    "}\n"
    "ia-na \"abcd\\000\\004no hardware address\" {\n"
    "  iaaddr 2001:db8::4 {\n"
    "    binding state active;\n"
    "    ends never;\n"
    "  }\n"
    "}\n";

constexpr std::string_view kea4 =
    "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n"
    "10.1.0.1,02:00:5e:10:00:01,,3600,1800000100,1,0,0,ipad,0,,0\n"
    "10.1.0.2,02:00:5e:10:00:02,01:02,3600,1800000100,1,0,0,,0,,0\n"
    "10.1.0.3,02:00:5e:10:00:03,,4294967295,0,1,0,0,,0,,0\n"
    "10.1.0.1,02:00:5e:10:00:01,,3600,1800000400,1,0,0,ipad,0,,0\n"
    "10.1.0.2,02:00:5e:10:00:02,01:02,0,1800000100,1,0,0,,0,,0\n"
    "10.1.0.4,,,3600,1800000100,1,0,0,,1,,0\n";

constexpr std::string_view kea6 =
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,"
    "hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n"
    "2001:db8::1,00:04:aa,3600,1800000100,1,1800,0,7,128,0,0,,02:00:5e:10:00:01,0,,1,1,0\n"
    "2001:db8::2,00:03:00:01:02:00:5e:10:00:02,3600,1800000100,1,1800,0,7,128,0,0,,,0,,1,1,0\n";

}  // namespace

TEST(LeaseFile, ReadsDnsmasqs) {
    EXPECT_EQ(listing(dnsmasq),
              "10.1.0.1 02:00:5e:10:00:01 100\n"
              "10.1.0.2 02:00:5e:10:00:02 ever\n"
              "2001:db8::1 02:00:5e:10:00:01 200\n"
              "2001:db8::2 02:00:5e:10:00:02 200\n");
}

TEST(LeaseFile, ReadsIscsWhereTheLastStanzaHolds) {
    EXPECT_EQ(listing(isc),
              "10.1.0.1 02:00:5e:10:00:09 200\n"
              "10.1.0.3 02:00:5e:10:00:03 300\n");
}

TEST(LeaseFile, ReadsIscsOfDhcpV6ByTheHardwareAddressInTheDuid) {
    EXPECT_EQ(listing(isc6),
              "2001:db8::1 02:00:5e:10:00:01 100\n"
              "2001:db8::3 02:22:5c:10:7b:7d ever\n");
}

TEST(LeaseFile, ReadsKeasWhereTheLastRowHolds) {
    EXPECT_EQ(listing(kea4),
              "10.1.0.1 02:00:5e:10:00:01 400\n"
              "10.1.0.3 02:00:5e:10:00:03 ever\n");
    EXPECT_EQ(listing(kea6),
              "2001:db8::1 02:00:5e:10:00:01 100\n"
              "2001:db8::2 02:00:5e:10:00:02 100\n");
}

TEST(LeaseFile, ReadsSeveralOfKeasAfterEachOther) {
    const std::string newer =
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
        "10.1.0.1,02:00:5e:10:00:0a,,3600,1800000500,1,0,0,ipad,0,\n";
    EXPECT_EQ(listing(std::string(kea4) + newer),
              "10.1.0.1 02:00:5e:10:00:0a 500\n"
              "10.1.0.3 02:00:5e:10:00:03 ever\n");
}

TEST(LeaseFile, NeverTakesWhatIsHalfWritten) {
    for (const std::string_view whole : {dnsmasq, isc, isc6, kea4, kea6}) {
        std::string seen;  // every line of any beginning
        for (std::size_t n = 0; n <= whole.size(); ++n) {
            for (const DhcpLease& lease : read_leases(whole.substr(0, n), now)) {
                EXPECT_TRUE(whole.contains(lease.address.to_string() + " ") ||
                            whole.contains(lease.address.to_string() + ","))
                    << lease.address.to_string() << " at " << n;
                EXPECT_GE(lease.until, now + 100s) << n;
            }
        }
    }
}

TEST(LeaseFile, MakesNothingOfOtherThings) {
    for (const std::string& text :
         {std::string(), std::string("\n\n\n"), std::string(100'000, 'x') + "\n", std::string("lease {\n}\n"),
          std::string("lease 10.1.0.1 {\n}\n"), std::string("ia-na\n iaaddr ::1 {\n }\n"),
          std::string("ia-na \"\\\" {\n iaaddr ::1 {\n  ends never;\n }\n}\n"), std::string("address,\n,,,\n"),
          std::string("a b c d e\n"), std::string("99999999999999999999 02:00:5e:10:00:01 10.1.0.1 * *\n"),
          std::string("-5 02:00:5e:10:00:01 10.1.0.1 * *\n"),
          std::string("lease 10.1.0.1 {\n ends 4 2027/13/45 08:00:00;\n hardware ethernet 02:00:5e:10:00:01;\n}\n")})
        EXPECT_EQ(listing(text), "") << text.substr(0, 60);
}

TEST(People, KeepALeaseThatAHalfWrittenFileLacks) {
    People people;
    const IpAddress device = *IpAddress::parse("10.1.0.1");
    EXPECT_EQ(people.set_leases(0, read_leases(dnsmasq, now)).size(), 4U);
    EXPECT_TRUE(people.set_leases(0, read_leases("", now)).empty());
    EXPECT_EQ(people.behind(device).mac, "02:00:5e:10:00:01");
    EXPECT_TRUE(people.set_leases(0, read_leases(dnsmasq, now)).empty());
    EXPECT_EQ(people.expire(now + 100s), std::vector{device});
    EXPECT_EQ(people.behind(device).mac, "");
}

TEST(People, KnowTheNewDeviceBehindAnAddress) {
    People people;
    const IpAddress device = *IpAddress::parse("10.1.0.1");
    people.set_leases(0, std::vector{DhcpLease{device, "02:00:00:00:00:01", now + 100s}});
    EXPECT_EQ(people.set_leases(0, std::vector{DhcpLease{device, "02:00:00:00:00:02", now + 100s}}),
              std::vector{device});
    EXPECT_EQ(people.behind(device).mac, "02:00:00:00:00:02");
    EXPECT_TRUE(people.begin_stay(device, {.user = "alice", .session = "s1", .heard = now}));
    EXPECT_FALSE(people.begin_stay(device, {.user = "alice", .session = "s1", .heard = now + 60s}));
    EXPECT_EQ(people.behind(device).identity(), "user alice");
    EXPECT_TRUE(people.end_stays({}, "s2").empty());
    EXPECT_EQ(people.end_stays({}, "s1"), std::vector{device});
    EXPECT_EQ(people.behind(device).identity(), "mac 02:00:00:00:00:02");
}

TEST(People, ForgetAStayThatNobodyTellsOfAnyMore) {
    People people;
    const IpAddress device = *IpAddress::parse("10.1.0.1");
    people.begin_stay(device, {.user = "alice", .heard = now});
    EXPECT_TRUE(people.expire(now + People::stay_holds).empty());
    EXPECT_EQ(people.expire(now + People::stay_holds + 1s), std::vector{device});
}
