// What is no H.323, or lies: each is refused at the field that is wrong, and what was read up to there can be answered.
#include "wire/h323/call.hpp"
#include "wire/h323/captures_testing.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"
#include "wire/h323/tpkt.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::h323 {
namespace {

using testing::from_hex;

std::string without_blanks(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c != ' ') out += c;
    }
    return out;
}

std::string octets(std::string_view hex) { return from_hex(without_blanks(hex)); }

TEST(Tpkt, IsReadFromItsHeader) {
    struct Case {
        std::string_view hex;
        std::string answer;
    };
    const Case cases[] = {
        {"", "more"},
        {"03", "more"},
        {"03 00 00", "more"},
        {"03 00 00 8e", "142"},
        {"03 ff 00 8e 08", "142"},
        {"03 00 ff ff", "65535"},
        {"03 00 00 04", "keep-alive"},
        {"00 03 00 04", "keep-alive"},
        {"00 03", "more"},
        {"00 03 00 05", "! no TPKT, as all of H.323 begins with"},
        {"00 00", "! no TPKT, as all of H.323 begins with"},
        {"03 00 00 03", "! a TPKT that is shorter than its own header"},
        {"16 03 01 02", "! no TPKT, as all of H.323 begins with"},
        {"47 45 54", "! no TPKT, as all of H.323 begins with"},
    };
    for (const Case& c : cases) {
        const auto tpkt = read_tpkt(as_bytes(octets(c.hex)));
        std::string answer = "more";
        if (!tpkt)
            answer = "! " + std::string(text(tpkt.error()));
        else if (*tpkt)
            answer = (*tpkt)->keep_alive() ? "keep-alive" : std::to_string((*tpkt)->length);
        EXPECT_EQ(answer, c.answer) << c.hex;
    }
}

// "type/call reference/cause/octets of H.225"
std::string say_q931(std::string_view hex) {
    const std::string bytes = octets(hex);
    Q931Message message;
    const auto read = read_q931(as_bytes(bytes), message);
    if (!read) return "! " + std::string(text(read.error()));
    return std::to_string(message.type) + "/" + std::to_string(message.call_reference.size()) + "/" +
           (message.cause ? std::to_string(*message.cause) : "") + "/" +
           (message.h225 ? std::to_string(message.h225->size()) : "");
}

TEST(Q931, IsReadElementByElement) {
    struct Case {
        std::string_view name, hex;
        std::string answer;
    };
    const Case cases[] = {
        {"a Facility", "08 02 0000 62 1c00 7e0003 05 2810", "98/2//2"},
        {"no call reference", "08 00 62 7e0003 05 2810", "98/0//2"},
        {"one octet of it", "08 01 81 62", "98/1//"},
        {"nothing but a header", "08 02 0000 6e", "110/2//"},
        {"elements of one octet", "08 02 0000 05 a1 96 04038090a5 7e0002 05 20", "5/2//1"},
        {"a cause", "08 02 9267 5a 0802 8095", "90/2/21/"},
        {"a cause with octet 3a", "08 02 9267 5a 0803 00 80 90", "90/2/16/"},
        {"a cause that is cut off", "08 02 9267 5a 0801 80", "90/2//"},
        {"user-user data of another kind", "08 02 0000 62 7e0003 04 4142", "98/2//"},
        {"two User-users", "08 02 0000 62 7e0002 05 20 7e0003 05 2020",
         "! two User-user elements, of which readers could choose"},
        {"too large a call reference", "08 03 000000 62", "! a call reference of more than two octets"},
        {"the spare bits of its length", "08 f2 0000 62", "! a call reference of more than two octets"},
        {"a type with the first bit", "08 02 0000 e2", "! no message type of Q.931"},
        {"another discriminator", "03 02 0000 62", "! no Q.931 message"},
        {"nothing", "", "! no Q.931 message"},
        {"cut off in the call reference", "08 02 00", "! an information element that is longer than the message"},
        {"cut off before the type", "08 02 0000", "! an information element that is longer than the message"},
        {"an element without its length", "08 02 0000 62 1c",
         "! an information element that is longer than the message"},
        {"an element that lies", "08 02 0000 62 1c05 00", "! an information element that is longer than the message"},
        {"half a User-user length", "08 02 0000 62 7e00", "! an information element that is longer than the message"},
        {"a User-user that lies", "08 02 0000 62 7e0080 05 28",
         "! an information element that is longer than the message"},
        {"an empty User-user", "08 02 0000 62 7e0000", "! a User-user element without contents"},
    };
    for (const Case& c : cases) EXPECT_EQ(say_q931(c.hex), c.answer) << c.name;
}

TEST(Q931, CanBeAnsweredWhereItsElementsLie) {
    const std::string bytes = octets("08 02 1267 05 1c05 00");
    Q931Message message;
    EXPECT_FALSE(read_q931(as_bytes(bytes), message));
    EXPECT_EQ(as_text(message.call_reference), "\x12\x67");
    EXPECT_EQ(message.type, q931::setup);
}

std::string say_ras(std::string_view hex) {
    const std::string bytes = octets(hex);
    RasMessage ras;
    const auto read = read_ras(as_bytes(bytes), ras);
    std::string out = read ? "" : "! " + text(read.error()) + " ";
    out += std::to_string(ras.request_seq_num);
    if (ras.gatekeeper_identifier) out += " " + *ras.gatekeeper_identifier;
    for (const Alias& alias : ras.aliases) out += " " + alias.text;
    return out;
}

// An RRQ up to its terminalType, with terminalAlias and gatekeeperIdentifier to come.
const std::string rrq = "0ec0 1216 060008914a0007 80 00 00 22 0009000000 00 ";

TEST(Ras, IsReadAsFarAsItIsSound) {
    struct Case {
        std::string_view name;
        std::string hex, answer;
    };
    const Case cases[] = {
        {"digits and an id", rrq + "01 01807a44 02 00610062", "4631 ab 4711"},
        {"no alias at all", rrq + "00 02 00610062", "4631 ab"},
        {"a character beyond the plane", rrq + "00 02 d83dde00", "4631 \xF0\x9F\x98\x80"},
        {"an alias of a later version", rrq + "01 8a 02 ffff 02 0061 0062", "4631 ab "},
        {"an E.164 number of a party", rrq + "01 83 04 00 06 7a44 02 0061 0062", "4631 ab 4711"},
        {"what follows the id is not looked at", rrq + "00 02 00610062 ff", "4631 ab"},
        {"a lone high surrogate", rrq + "00 02 d83d0062",
         "! gatekeeperIdentifier: a character that may not stand here 4631"},
        {"a lone low surrogate", rrq + "00 02 de00d83d",
         "! gatekeeperIdentifier: a character that may not stand here 4631"},
        {"a high one at the end", rrq + "00 02 0061d83d",
         "! gatekeeperIdentifier: a character that may not stand here 4631"},
        {"a zero in an id", rrq + "00 02 00610000", "! gatekeeperIdentifier: a character that may not stand here 4631"},
        {"a line feed in an alias", rrq + "01 80 03 0000 0a 02 00610062",
         "! alias: a character that may not stand here"},
        {"no ASCII in a URL", rrq + "01 80 03 0000 fc 02 00610062", "! alias: a character that may not stand here"},
        {"a digit that there is not", rrq + "01 0180fa44 02 00610062", "! alias: a character that may not stand here"},
        {"more aliases than there are", rrq + "05 01807a44", "! terminalAlias: more is announced than there is 4631"},
        {"more aliases than anybody has", rrq + "8101", "! terminalAlias: too many elements 4631"},
        {"an id that is cut off", rrq + "00 02 0061", "! gatekeeperIdentifier: more is announced than there is 4631"},
        {"cut off in terminalType", "0ec0 1216 060008914a0007 80 00 00 22 00",
         "! terminalType: more is announced than there is 4631"},
        {"a list in fragments", "0ec0 1216 060008914a0007 80 c4",
         "! callSignalAddress: a length in fragments of 16K 4631"},
        {"request number 65536", "0ec0 ffff 060008914a0007", "! requestSeqNum: a number out of range 0"},
        {"cut off in its number", "0ec0 12", "! requestSeqNum: more is announced than there is 0"},
        {"no such RasMessage", "7f", "! RasMessage: a number out of range 0"},
        {"one of a later version", "80 01 00", "0"},
        {"an addition that is cut off", "80 05 00", "! RasMessage: more is announced than there is 0"},
        {"nothing", "", "! RasMessage: more is announced than there is 0"},
        {"an addition that lies", "1600 1216 060008914a0007 60 10 7f 00",
         "! altGKInfo: more is announced than there is 4631"},
        {"an extension map of more than there is", "1600 1216 060008914a0007 67 e0",
         "! an extension: more is announced than there is 4631"},
        {"an extension map of ever so many", "1600 1216 060008914a0007 68 01 ff",
         "! an extension: too many elements 4631"},
    };
    for (const Case& c : cases) {
        const std::string answer = say_ras(c.hex);
        EXPECT_EQ(answer.substr(0, c.answer.size()), c.answer) << c.name;
    }
}

std::string say_information(std::string_view hex) {
    const std::string bytes = octets(hex);
    const auto information = read_user_information(as_bytes(bytes));
    if (!information) return "! " + text(information.error());
    std::string out = std::to_string(information->body);
    for (const Bytes ras : information->ras) out += " " + std::to_string(ras.size());
    return out;
}

TEST(UserInformation, FindsTheTunnelWhereverItStands) {
    struct Case {
        std::string_view name, hex;
        std::string answer;
    };
    const Case cases[] = {
        {"as everybody sends it", "2810010010 8101 80 0d 01 40 0011 0000 40 0001 00 02 1234", "8 2"},
        {"h245Tunnelling is missing", "2810010010 01 0d 01 40 0011 0000 40 0001 00 02 1234", "8 2"},
        {"two messages in one", "2810010010 01 13 01 40 0011 0001 40 0001 00 02 1234 40 0001 00 01 55", "8 2 1"},
        {"another parameter", "2810010010 01 0d 01 40 0011 0000 40 0002 00 02 1234", "8"},
        {"another feature", "2810010010 01 0d 01 40 0012 0000 40 0001 00 02 1234", "8"},
        {"no raw content", "2810010010 01 0d 01 40 0011 0000 40 0001 08 02 1234", "8"},
        {"no generic data", "08 10 01 00", "8"},
        {"an item that announces too much", "2810010010 01 0d 01 40 0011 0000 40 0001 00 22 1234",
         "! genericData: more is announced than there is"},
        {"parameters that are not there", "2810010010 01 0d 01 40 0011 0005 40 0001 00 02 1234",
         "! genericData: more is announced than there is"},
        {"an open type that lies", "2810010010 01 7d 01 40 0011", "! genericData: more is announced than there is"},
        {"no such body", "07", "! h323-message-body: a number out of range"},
        {"a body of later times", "09 e0 01 00", "37"},
        {"nothing", "", "! H323-UserInformation: more is announced than there is"},
    };
    for (const Case& c : cases) {
        const std::string answer = say_information(c.hex);
        EXPECT_EQ(answer.substr(0, c.answer.size()), c.answer) << c.name << ": " << answer;
    }
}

// Content of a Content of a Content ... : no depth of types is walked without an end.
TEST(UserInformation, IsNotFollowedEverDeeper) {
    std::string parameters = "40 0001 00 00";
    std::string nested;
    for (int i = 0; i < 40; ++i) nested += "40 0001 50 0000";
    const std::string list = octets("01 40 0012 0000" + nested + parameters);
    std::string encoding = octets("2810010010 01");
    testing::put(encoding, 0x8000 | list.size(), 2);
    const auto information = read_user_information(as_bytes(encoding + list));
    ASSERT_FALSE(information);
    EXPECT_EQ(text(information.error()), "genericData: types too deep in one another");
}

}  // namespace
}  // namespace sallyport::h323
