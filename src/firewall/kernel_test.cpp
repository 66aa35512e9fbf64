// What is read out of listings of nft, and how two are compared. Loading is tested in namespaces, by tests/net.
#include "firewall/kernel.hpp"

#include "firewall/apply.hpp"

#include <gtest/gtest.h>

using namespace sallyport::firewall;

namespace {

const std::string listing = R"(table inet sallyport {
	comment "made by sallyport from its configuration"
	counter listen.https {
		packets 7 bytes 420
	}

	counter empty {
	}

	set wanted4 {
		type ipv4_addr . inet_proto . inet_service
		size 4096
		flags dynamic,timeout
		counter
		timeout 1h
		elements = { 10.0.0.1 . tcp . 25 counter packets 1 bytes 60 timeout 1h expires 59m59s,
			     10.0.0.1 . tcp . 26 counter packets 1 bytes 60 timeout 1h expires 59m59s }
	}

	map clients4 {
		type ipv4_addr : ipv4_addr
		elements = { 10.1.2.9 : 192.0.2.17 }
	}

	map pins4_32 {
		type ipv4_addr : ipv4_addr
		flags interval
		elements = { 10.1.2.3 : 192.0.2.17 }
	}
}
)";

}  // namespace

TEST(Listing, CountersAreRead) {
    EXPECT_EQ(counts_of(listing), (Counts{{"listen.https", {7, 420}}}));
    EXPECT_EQ(counts_of("counter\npackets x bytes 1\ncounter a {\npackets 1 bytes"), Counts{});
}

TEST(Listing, WhatPacketsFillIsLeftOut) {
    const std::string still = without_learned(listing);
    EXPECT_EQ(still.find("expires"), std::string::npos) << still;
    EXPECT_NE(still.find("set wanted4"), std::string::npos);
    EXPECT_NE(still.find("timeout 1h"), std::string::npos);
    EXPECT_EQ(still.find("10.1.2.9"), std::string::npos);  // clients come and go
    EXPECT_NE(still.find("map clients4"), std::string::npos);
    EXPECT_NE(still.find("10.1.2.3 : 192.0.2.17"), std::string::npos);
    EXPECT_TRUE(still.ends_with("\t}\n}\n")) << still;
}

TEST(Listing, RestoringTakesOurTableAwayAndNoOther) {
    EXPECT_EQ(restoring(std::nullopt), "table inet sallyport\ndelete table inet sallyport\n");
    EXPECT_EQ(restoring(listing), "table inet sallyport\ndelete table inet sallyport\n" + listing);
}

TEST(Difference, ShowsWhatIsOnlyThereAndOnlyHere) {
    EXPECT_EQ(difference("a\nb\n\nc\n", "a\nb\nc\n"), "");
    EXPECT_EQ(difference("a\nb\nb\n", "b\na\nx\n"), "-b\n+x\n");
    EXPECT_EQ(difference(std::nullopt, "a\n"), "+a\n");
    EXPECT_EQ(difference("a\nb\n", "b\na\n"), "the same lines in another order\n");
}
