// Every field that vectors.tsv tells of real messages, as this decoder reads it.
#include "wire/h323/call.hpp"
#include "wire/h323/captures_testing.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"
#include "wire/h323/tpkt.hpp"

#include <gtest/gtest.h>

namespace sallyport::h323 {
namespace {

constexpr std::string_view ras_short_names[] = {"GRQ", "GCF", "GRJ", "RRQ", "RCF", "RRJ", "URQ", "UCF", "URJ", "ARQ"};

std::string in_words(const std::vector<Alias>& aliases) {
    std::string out;
    for (const Alias& alias : aliases) {
        if (!out.empty()) out += "; ";
        out += std::string(name(alias.kind)) + "=" + alias.text;
    }
    if (aliases.size() < 60) return out;
    return "60 x h323-ID, first=" + aliases.front().text + ", last=" + aliases.back().text;
}

std::string body_name(const UserInformation& information) {
    constexpr std::string_view names[] = {"setup",           "callProceeding", "connect",  "alerting", "information",
                                          "releaseComplete", "facility",       "progress", "empty"};
    return std::string(names[information.body]);
}

// What a row would be, made of what is read.
testing::Vector read(const testing::Vector& row) {
    testing::Vector out;
    const std::string tpkt = testing::from_hex(row.at("tpkt_hex"));
    const auto frame = read_tpkt(as_bytes(tpkt));
    EXPECT_TRUE(frame && *frame && (*frame)->length == tpkt.size());
    Q931Message message;
    const auto sound = read_q931(as_bytes(tpkt).subspan(tpkt_header), message);
    EXPECT_TRUE(sound) << text(sound.error());
    out["crv_octets"] = std::to_string(message.call_reference.size());
    out["q931"] = message.type == q931::setup              ? "Q931 0x05"
                  : message.type == q931::release_complete ? "Q931 0x5a"
                                                           : "Q931 0x62";
    if (message.cause) out["cause"] = std::to_string(*message.cause);
    const auto information = read_user_information(message.h225.value_or(Bytes()));
    EXPECT_TRUE(information) << text(information.error());
    if (!information) return out;
    out["body"] = body_name(*information);
    out["destinationAddress"] = in_words(information->destination);
    if (information->body == body::release_complete)
        out["rejectReason"] = information->release_reason ? release_reason_name(*information->release_reason) : "none";
    if (information->ras.empty()) return out;
    EXPECT_EQ(information->ras.size(), 1U);
    RasMessage ras;
    const auto read = read_ras(information->ras.front(), ras);
    EXPECT_TRUE(read) << text(read.error());
    EXPECT_NE(ras.request_seq_num, 0);
    out["ras"] = ras_short_names[ras.kind];
    out["gatekeeperIdentifier"] = ras.gatekeeper_identifier.value_or("");
    out["terminalAlias/endpointAlias"] = in_words(ras.aliases);
    if (ras.reject_reason) out["rejectReason"] = reject_reason_name(ras);
    out["altGKInfo"] = ras.alternates.empty() ? "" : "yes";
    return out;
}

TEST(H323Vectors, AreReadAsTheyAre) {
    const auto rows = testing::vectors();
    ASSERT_GT(rows.size(), 30U);
    for (const auto& row : rows) {
        SCOPED_TRACE("capture " + row.at("pcap") + " frame " + row.at("frame"));
        const auto ours = read(row);
        for (const auto& [column, value] : row) {
            if (column == "pcap" || column == "frame" || column == "direction" || column == "tpkt_hex") continue;
            const auto found = ours.find(column);
            EXPECT_EQ(found == ours.end() ? "" : found->second, value) << column;
        }
    }
}

TEST(H323Redirect, SaysWhereElseToGo) {
    for (const auto& row : testing::vectors()) {
        if (row.at("altGKInfo").empty()) continue;
        const std::string tpkt = testing::from_hex(row.at("tpkt_hex"));
        Q931Message message;
        ASSERT_TRUE(read_q931(as_bytes(tpkt).subspan(tpkt_header), message));
        RasMessage ras;
        ASSERT_TRUE(read_ras(read_user_information(*message.h225)->ras.front(), ras));
        ASSERT_EQ(ras.alternates.size(), 1U);
        EXPECT_EQ(ras.alternates[0].address->to_string(), "10.23.0.4:1719");
        EXPECT_EQ(ras.alternates[0].identifier, "example.com/branch-a");
        EXPECT_TRUE(ras.alternates[0].need_to_register);
    }
}

}  // namespace
}  // namespace sallyport::h323
