// Another opinion: what tshark reads in every message of the captures, against ours; and in every answer that we write.
#include "wire/h323/answer.hpp"
#include "wire/h323/call.hpp"
#include "wire/h323/captures_testing.hpp"
#include "wire/h323/tpkt.hpp"

#include <gtest/gtest.h>

namespace sallyport::h323 {
namespace {

using Row = std::vector<std::string>;

std::string join(const Row& values) {
    std::string out;
    for (const auto& value : values) out += (out.empty() ? "" : "\x1F") + value;
    return out;
}

std::string hex_of(Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::byte octet : bytes) {
        const auto value = std::to_integer<std::uint8_t>(octet);
        out += {digits[value >> 4], digits[value & 0xF]};
    }
    return out;
}

const std::vector<std::string> message_fields = {"q931.message_type", "q931.cause_value",   "h225.h323_message_body",
                                                 "h225.RasMessage",   "h225.requestSeqNum", "h225.gatekeeperIdentifier",
                                                 "h225.rejectReason"};

// The same columns by our reading; nothing for what we don't read to its end.
std::optional<Row> read(const std::string& tpkt) {
    Q931Message message;
    if (!read_q931(as_bytes(tpkt).subspan(tpkt_header), message)) return std::nullopt;
    std::array<char, 8> type{};
    std::snprintf(type.data(), type.size(), "0x%02x", message.type);
    Row row = {type.data(), message.cause ? std::to_string(*message.cause) : "", "", "", "", "", ""};
    if (!message.h225) return row;
    const auto information = read_user_information(*message.h225);
    if (!information) return std::nullopt;
    row[2] = std::to_string(information->body);
    Row kinds;
    Row numbers;
    Row identifiers;
    Row reasons;
    for (const Bytes encoding : information->ras) {
        RasMessage ras;
        if (!read_ras(encoding, ras)) return std::nullopt;
        kinds.push_back(std::to_string(ras.kind));
        numbers.push_back(std::to_string(ras.request_seq_num));
        if (ras.gatekeeper_identifier) identifiers.push_back(*ras.gatekeeper_identifier);
        for (const auto& other : ras.alternates) identifiers.push_back(other.identifier);
        if (ras.reject_reason) reasons.push_back(std::to_string(*ras.reject_reason));
    }
    row[3] = join(kinds);
    row[4] = join(numbers);
    row[5] = join(identifiers);
    row[6] = join(reasons);
    return row;
}

TEST(H323Messages, AreReadAsTsharkReadsThem) {
    auto messages = testing::captured_messages();
    ASSERT_GT(messages.size(), 50U);
    const auto theirs = testing::read_by_tshark(messages, message_fields);
    if (theirs.empty()) GTEST_SKIP() << "there is no tshark";
    ASSERT_EQ(theirs.size(), messages.size());
    int unread = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto ours = read(messages[i]);
        if (!ours) {
            ++unread;
            continue;
        }
        // An ARQ has an id behind its "...", which nobody asks for here.
        Row expected = theirs[i];
        if ((*ours)[5].empty() && (*ours)[3] != "3") expected[5].clear();
        EXPECT_EQ(*ours, expected) << hex_of(as_bytes(messages[i]));
    }
    EXPECT_EQ(unread, 2) << "the RCF of capture 18, which its sender has spoilt, and the octet of capture 21";
}

TEST(H323Setups, AreReadAsTsharkReadsThem) {
    std::vector<std::string> setups;
    for (auto& message : testing::captured_messages()) {
        Q931Message read;
        if (read_q931(as_bytes(message).subspan(tpkt_header), read) && read.type == q931::setup)
            setups.push_back(std::move(message));
    }
    ASSERT_GT(setups.size(), 6U);
    const auto theirs = testing::read_by_tshark(setups, {"h225.url_ID", "h225.email_ID", "h225.h323_ID"});
    if (theirs.empty()) GTEST_SKIP() << "there is no tshark";
    ASSERT_EQ(theirs.size(), setups.size());
    for (std::size_t i = 0; i < setups.size(); ++i) {
        Q931Message message;
        ASSERT_TRUE(read_q931(as_bytes(setups[i]).subspan(tpkt_header), message));
        const auto information = read_user_information(*message.h225);
        ASSERT_TRUE(information) << text(information.error());
        ASSERT_EQ(information->destination.size(), 1U);
        const Alias& called = information->destination[0];
        const std::size_t column = called.kind == AliasKind::url_id ? 0 : called.kind == AliasKind::email_id ? 1 : 2;
        const Row values = testing::split(theirs[i][column], "\x1F");
        EXPECT_EQ(called.text, values.back()) << "the caller's alias is the first h323-ID";
    }
}

struct Written {
    std::string name;
    std::string tpkt;
    Row expected;  // of answer_fields
};

const std::vector<std::string> answer_fields = {"tpkt.length",
                                                "q931.call_ref",
                                                "q931.call_ref_flag",
                                                "q931.message_type",
                                                "q931.cause_value",
                                                "h225.RasMessage",
                                                "h225.requestSeqNum",
                                                "h225.rejectReason",
                                                "h225.protocolIdentifier",
                                                "h225.reason",
                                                "q931.display_information",
                                                "_ws.malformed"};

Q931Message message_with(std::string_view call_reference) {
    Q931Message message;
    message.call_reference = as_bytes(call_reference);
    return message;
}

std::vector<Written> rejects() {
    std::vector<Written> out;
    struct Case {
        std::uint8_t kind, reason;
    };
    constexpr Case cases[] = {
        {ras::gatekeeper_request, gatekeeper_reject_reason::resource_unavailable},
        {ras::gatekeeper_request, gatekeeper_reject_reason::terminal_excluded},
        {ras::gatekeeper_request, gatekeeper_reject_reason::undefined_reason},
        {ras::gatekeeper_request, gatekeeper_reject_reason::security_denial},
        {ras::registration_request, registration_reject_reason::undefined_reason},
        {ras::registration_request, registration_reject_reason::resource_unavailable},
        {ras::registration_request, registration_reject_reason::invalid_alias},
        {ras::registration_request, registration_reject_reason::security_denial},
    };
    for (const Case& c : cases) {
        for (const std::uint16_t number : {std::uint16_t{1}, std::uint16_t{4631}, std::uint16_t{65535}}) {
            for (const std::string& display : {std::string(), std::string("not here"), std::string(200, 'x')}) {
                RasMessage request;
                request.kind = c.kind;
                request.request_seq_num = number;
                AnswerRoom room;
                const std::string zero(2, '\0');
                const Bytes tpkt = write_ras_reject(room, message_with(zero), request, c.reason, display);
                out.push_back({"a reject",
                               std::string(as_text(tpkt)),
                               {std::to_string(tpkt.size()), "0000", "0", "0x62", "", std::to_string(c.kind + 2),
                                std::to_string(number), std::to_string(c.reason), "0.0.8.2250.0.7", "",
                                display.substr(0, max_display), ""}});
            }
        }
    }
    return out;
}

std::vector<Written> releases() {
    std::vector<Written> out;
    using namespace release_complete_reason;
    for (const std::uint8_t reason :
         {gatekeeper_resources, unreachable_destination, no_permission, unreachable_gatekeeper, undefined_reason,
          security_denied, called_party_not_registered}) {
        for (const std::uint8_t cause : {std::uint8_t{0}, std::uint8_t{21}, std::uint8_t{127}}) {
            AnswerRoom room;
            const Bytes tpkt = write_release_complete(room, message_with("\x12\x67"), reason, cause, "a [b.c]");
            out.push_back({"a release",
                           std::string(as_text(tpkt)),
                           {std::to_string(tpkt.size()), "1267", "1", "0x5a", std::to_string(cause), "", "", "",
                            "0.0.8.2250.0.7", std::to_string(reason), "a [b.c]", ""}});
        }
    }
    AnswerRoom room;
    const Bytes none = write_release_complete(room, message_with(""), undefined_reason, 31, "");
    out.push_back({"without a call reference",
                   std::string(as_text(none)),
                   {std::to_string(none.size()), "", "", "0x5a", "31", "", "", "", "0.0.8.2250.0.7", "11", "", ""}});
    const Bytes one = write_release_complete(room, message_with("\x81"), undefined_reason, 31, "");
    out.push_back({"to the side that did not choose it",
                   std::string(as_text(one)),
                   {std::to_string(one.size()), "01", "0", "0x5a", "31", "", "", "", "0.0.8.2250.0.7", "11", "", ""}});
    return out;
}

TEST(H323Answers, AreReadByTsharkAsTheyAreMeant) {
    auto written = rejects();
    for (auto& more : releases()) written.push_back(std::move(more));
    std::vector<std::string> tpkts;
    for (const auto& one : written) tpkts.push_back(one.tpkt);
    const auto theirs = testing::read_by_tshark(tpkts, answer_fields);
    if (theirs.empty()) GTEST_SKIP() << "there is no tshark";
    ASSERT_EQ(theirs.size(), written.size());
    for (std::size_t i = 0; i < written.size(); ++i)
        EXPECT_EQ(theirs[i], written[i].expected) << written[i].name << " " << hex_of(as_bytes(written[i].tpkt));
}

}  // namespace
}  // namespace sallyport::h323
