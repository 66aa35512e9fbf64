#include "wire/ber/testing.hpp"
#include "wire/ldap/message.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::ldap;
namespace encode = sallyport::ber::testing;

namespace {

std::string message(std::string_view contents, int length_octets = 0) {
    return encode::tlv(0x30, contents, length_octets);
}

std::string bind_operation() {
    return encode::tlv(0x60, encode::integer(3) + encode::tlv(0x04, "hq.example\\guest") + encode::tlv(0x80, "secret"));
}

std::string bind_message(long id) { return message(encode::integer(id) + bind_operation()); }

std::string say(std::string_view bytes, Sender sender = Sender::client) {
    MessageHead head;
    const auto result = read_message_head(as_bytes(bytes), sender, head);
    if (result.state == MessageResult::State::need_more) return "more";
    if (result.state == MessageResult::State::refused) return "! " + std::string(text(result.error));
    return std::string(find_operation(head.op)->name) + " " + std::to_string(head.id) + " " +
           std::to_string(head.length) + " " + std::to_string(head.operation.size()) + "/" +
           std::to_string(head.controls.size());
}

}  // namespace

TEST(LdapMessage, IsReadOnceItIsWhole) {
    const std::string search = encode::octets(
        "30 25 02 01 02 63 20 04 00 0a 01 00 0a 01 00 02 01 00 02 01 00 01 01 00 87 0b 6f 62 6a 65 63 74 63 6c 61 73 73"
        "30 00");
    const std::string control =
        encode::tlv(0x30, encode::tlv(0x04, "1.2.840.113556.1.4.319") + encode::tlv(0x04, "value"));
    struct Case {
        const char* name;
        std::string bytes;
        Sender sender;
        std::string answer;
    };
    const Case cases[] = {
        {"a bind", bind_message(1), Sender::client, "BindRequest 1 36 29/0"},
        {"the largest id", bind_message(2147483647), Sender::client, "BindRequest 2147483647 39 29/0"},
        {"lengths of four octets everywhere, as Windows writes them",
         message(encode::integer(7) +
                     encode::tlv(0x60,
                                 encode::tlv(0x02, "\x03", 4) + encode::tlv(0x04, "", 4) + encode::tlv(0x80, "", 4), 4),
                 4),
         Sender::client, "BindRequest 7 34 19/0"},
        {"an id with more octets than it needs", message(encode::octets("0204 00000005") + bind_operation()),
         Sender::client, "BindRequest 5 39 29/0"},
        {"an unbind", encode::octets("30 05 02 01 03 42 00"), Sender::client, "UnbindRequest 3 7 0/0"},
        {"a search", search, Sender::client, "SearchRequest 2 39 32/0"},
        {"controls", message(encode::integer(9) + bind_operation() + encode::tlv(0xA0, control)), Sender::client,
         "BindRequest 9 71 29/33"},
        {"an extension behind it that nobody knows yet",
         message(encode::integer(9) + bind_operation() + encode::tlv(0xA0, control) + encode::tlv(0xA1, "")),
         Sender::client, "BindRequest 9 73 29/33"},
        {"a response", encode::octets("30 0c 02 01 01 61 07 0a 01 00 04 00 04 00"), Sender::server,
         "BindResponse 1 14 7/0"},
        {"an unsolicited notification", encode::octets("30 0c 02 01 00 78 07 0a 01 34 04 00 04 00"), Sender::server,
         "ExtendedResponse 0 14 7/0"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say(c.bytes, c.sender), c.answer);
        EXPECT_EQ(say(c.bytes + "0", c.sender), c.answer) << "what is behind it is another message's";
        for (std::size_t n = 0; n < c.bytes.size(); ++n)
            ASSERT_EQ(say(std::string_view(c.bytes).substr(0, n), c.sender), "more") << n;
    }
}

TEST(LdapMessage, GivesViewsOfItsParts) {
    const std::string controls = encode::tlv(0x30, encode::tlv(0x04, "1.2.3"));
    const std::string bytes =
        message(encode::integer(1) + encode::tlv(0x77, encode::tlv(0x80, "1.2")) + encode::tlv(0xA0, controls)) +
        "next";
    MessageHead head;
    ASSERT_EQ(read_message_head(as_bytes(bytes), Sender::client, head).state, MessageResult::State::complete);
    EXPECT_EQ(as_text(head.operation), encode::tlv(0x80, "1.2"));
    EXPECT_EQ(as_text(head.controls), controls);
    EXPECT_EQ(bytes.substr(head.length), "next");
}

TEST(LdapMessage, RefusesWhatIsNoneAndWhatLies) {
    const std::string id = encode::integer(1);
    struct Case {
        const char* name;
        std::string bytes;
        const char* answer;
    };
    const Case cases[] = {
        {"HTTP", "GET / HTTP/1.1\r\n", "! not an LDAP message"},
        {"a TLS record", encode::octets("16 03 01"), "! not an LDAP message"},
        {"a SET", encode::octets("31"), "! not an LDAP message"},
        {"an indefinite length", encode::octets("30 80"), "! an indefinite length"},
        {"a length of five octets", encode::octets("30 85"), "! a length of more than four octets"},
        {"a message of 2 GiB, of which only the length has come", encode::octets("30 84 7f ff ff ff"),
         "! an LDAP message that is too large"},
        {"a message of 4 GiB", encode::octets("30 84 ff ff ff ff"), "! an LDAP message that is too large"},
        {"a message of one octet more than is read", encode::octets("30 82 ff fd"),
         "! an LDAP message that is too large"},
        {"an empty message", encode::octets("30 00"), "! an element that is larger than what contains it"},
        {"no operation", message(id), "! an element that is larger than what contains it"},
        {"an operation of a tag alone", message(id + "\x60"), "! an element that is larger than what contains it"},
        {"no id", message(bind_operation()), "! an element that does not belong here"},
        {"id 0", message(encode::integer(0) + bind_operation()), "! a message id outside 1 to 2147483647"},
        {"id -1", message(encode::integer(-1) + bind_operation()), "! a message id outside 1 to 2147483647"},
        {"id 2^31", message(encode::octets("02 05 00 80 00 00 00") + bind_operation()),
         "! a message id outside 1 to 2147483647"},
        {"id of no octet", message(encode::octets("02 00") + bind_operation()),
         "! a message id outside 1 to 2147483647"},
        {"id of 2 GiB", encode::octets("30 08 02 84 7f ff ff ff 01 60"), "! a message id outside 1 to 2147483647"},
        {"id in pieces", message(encode::octets("22 03 02 01 01") + bind_operation()),
         "! an element that does not belong here"},
        {"a universal operation", message(id + encode::tlv(0x30, "")), "! an operation that LDAP does not know"},
        {"an unknown operation", message(id + encode::tlv(0x6A, "")), "! an operation that LDAP does not know"},
        {"a bind that is primitive", message(id + encode::tlv(0x40, "")), "! an operation that LDAP does not know"},
        {"a response from a client", message(id + encode::tlv(0x61, encode::octets("0a010004000400"))),
         "! an operation that LDAP does not know"},
        {"an operation larger than the message", encode::octets("30 09 02 01 01 60 05 02 01 03 04"),
         "! an element that is larger than what contains it"},
        {"an operation of 2 GiB", encode::octets("30 09 02 01 01 60 84 7f ff ff ff"),
         "! an element that is larger than what contains it"},
        {"an indefinite operation", encode::octets("30 0a 02 01 01 60 80 02 01 03 00 00"), "! an indefinite length"},
        {"a name larger than the operation", encode::octets("30 0b 02 01 01 60 06 02 01 03 04 02 61"),
         "! an element that is larger than what contains it"},
        {"a name in pieces",
         message(id + encode::tlv(0x60, encode::integer(3) + encode::tlv(0x24, encode::tlv(0x04, "a")))),
         "! an OCTET STRING in pieces"},
        {"a filter of seven levels", message(id + encode::tlv(0x63, encode::nested(7))), "! elements nested too deep"},
        {"a filter of nine thousand levels", message(id + encode::tlv(0x63, encode::nested(9000))),
         "! elements nested too deep"},
        {"controls nested too deep", message(id + bind_operation() + encode::tlv(0xA0, encode::nested(7))),
         "! elements nested too deep"},
        {"a stray octet behind the operation", message(id + bind_operation() + std::string(1, '\0')),
         "! an element that is larger than what contains it"},
        {"a second operation", message(id + bind_operation() + bind_operation()),
         "! something behind the last element"},
        {"controls twice", message(id + bind_operation() + encode::tlv(0xA0, "") + encode::tlv(0xA0, "")),
         "! something behind the last element"},
        {"a string behind the operation", message(id + bind_operation() + encode::tlv(0x04, "")),
         "! something behind the last element"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say(c.bytes), c.answer);
    }
}

TEST(LdapMessage, ReadsTheLargestItTakes) {
    const std::string whole =
        message(encode::integer(1) + encode::tlv(0x77, encode::tlv(0x80, std::string(65521, 'a'), 2), 2), 2);
    ASSERT_EQ(whole.size(), max_message);
    EXPECT_EQ(say(whole), "ExtendedRequest 1 65536 65525/0");
}

TEST(LdapMessage, RefusesAClientsMessagesFromAServer) {
    EXPECT_EQ(say(bind_message(1), Sender::server), "! an operation that LDAP does not know");
    const std::string numbered_zero = encode::octets("30 0c 02 01 00 61 07 0a 01 00 04 00 04 00");
    EXPECT_EQ(say(numbered_zero, Sender::server), "! a message id outside 1 to 2147483647");
}

TEST(LdapOperations, SayWhichResponseEndsTheAnswer) {
    struct Case {
        std::uint8_t request;
        std::uint8_t response;
    };
    // RFC 4511 appendix B: the numbers of the APPLICATION tags.
    const Case cases[] = {
        {0x60, 0x61}, {0x42, 0},    {0x63, 0x65}, {0x66, 0x67}, {0x68, 0x69},
        {0x4A, 0x6B}, {0x6C, 0x6D}, {0x6E, 0x6F}, {0x50, 0},    {0x77, 0x78},
    };
    for (const Case& c : cases) {
        const Operation* operation = find_operation(c.request);
        ASSERT_NE(operation, nullptr) << int{c.request};
        EXPECT_EQ(operation->response, c.response) << operation->name;
        EXPECT_EQ(operation->sender, Sender::client) << operation->name;
        if (c.response == 0) continue;
        EXPECT_EQ(find_operation(c.response)->sender, Sender::server) << operation->name;
    }
    EXPECT_EQ(find_operation(0x30), nullptr);
}
