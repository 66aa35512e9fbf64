#include "wire/ldap/stepper.hpp"
#include "wire/ber/testing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::ldap;
namespace encode = sallyport::ber::testing;

namespace {

using What = MessageStepper::Step::What;

std::string message(long id, unsigned op, std::string_view contents, int length_octets = 0) {
    return encode::tlv(0x30, encode::integer(id) + encode::tlv(op, contents, length_octets), length_octets);
}

// What a stepper said, one word an event, and what came out of it.
struct Story {
    std::vector<std::string> events;
    std::string passed;
    std::vector<std::string> wholes;
};

void tell(const MessageStepper::Step& step, Story& story) {
    constexpr std::string_view words[] = {"more", "message", "rest", "whole", "unread", "blind"};
    story.passed += as_text(step.bytes);
    if (step.what == What::whole) story.wholes.emplace_back(as_text(step.bytes));
    if (step.what == What::need_more || step.what == What::rest) return;
    const std::string word(words[static_cast<std::size_t>(step.what)]);
    if (step.what == What::blind) {
        story.events.push_back(word + ": " + std::string(text(step.error)));
    } else {
        const Operation* operation = find_operation(step.op);
        const std::string name = operation == nullptr ? std::to_string(step.op) : std::string(operation->name);
        story.events.push_back(word + " " + std::to_string(step.id) + " " + name);
    }
}

Story run(Sender sender, std::string_view bytes, std::size_t piece) {
    MessageStepper stepper(sender);
    Story story;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const std::string part(bytes.substr(0, piece));  // its own memory: views must not reach into the one before
        for (Bytes rest = as_bytes(part);;) {
            const auto step = stepper.next(rest);
            tell(step, story);
            rest = rest.subspan(step.consumed);
            if (step.what == What::need_more) break;
        }
    }
    return story;
}

const std::string bind = message(1, 0x60, encode::octets("020103 0400 8000"));
const std::string search = message(2, 0x63, std::string(200, 's'));
const std::string start_tls = message(3, 0x77, encode::tlv(0x80, "1.3.6.1.4.1.1466.20037"));
const std::string unbind = message(4, 0x42, "");

}  // namespace

TEST(LdapStepper, SaysTheSameHoweverTheBytesCome) {
    struct Case {
        const char* name;
        Sender sender;
        std::string bytes;
        std::vector<std::string> events;
        std::vector<std::string> wholes;
    };
    const std::string entry = message(2, 0x64, std::string(300000, 'e'));
    const std::string done = message(2, 0x65, encode::octets("0a0100 0400 0400"));
    const std::string bound = message(1, 0x61, encode::octets("0a0131 0400 0400"), 4);
    const std::string notice = message(0, 0x78, encode::octets("0a0134 0400 0400"));
    const std::string large_bind = message(9, 0x60, std::string(70000, 'b'));
    const std::string largest_bind = message(9, 0x60, std::string(max_message - 11, 'b'));
    const Case cases[] = {
        {"a client",
         Sender::client,
         bind + search + start_tls + search + unbind,
         {"whole 1 BindRequest", "message 2 SearchRequest", "whole 3 ExtendedRequest", "message 2 SearchRequest",
          "message 4 UnbindRequest"},
         {bind, start_tls}},
        {"a server",
         Sender::server,
         bound + entry + entry + done + notice,
         {"whole 1 BindResponse", "message 2 SearchResultEntry", "message 2 SearchResultEntry",
          "message 2 SearchResultDone", "whole 0 ExtendedResponse"},
         {bound, notice}},
        {"a bind that is too large",
         Sender::client,
         large_bind + bind,
         {"unread 9 BindRequest", "whole 1 BindRequest"},
         {bind}},
        {"the largest bind that is kept",
         Sender::client,
         largest_bind + bind,
         {"whole 9 BindRequest", "whole 1 BindRequest"},
         {largest_bind, bind}},
        {"a client's word from a server is only stepped over",
         Sender::server,
         bind + done,
         {"message 1 BindRequest", "message 2 SearchResultDone"},
         {}},
        {"a bind without contents",
         Sender::client,
         encode::octets("3004 020101 60") + unbind,
         {"whole 1 BindRequest", "message 4 UnbindRequest"},
         {encode::octets("3004 020101 60")}},
        {"binds in forms that only a lax reader takes for binds",
         Sender::client,
         message(5, 0x40, "x") + search + encode::octets("3007 020106 7f0000 00") + bind,
         {"whole 5 64", "message 2 SearchRequest", "blind: a tag number of more than one octet"},
         {message(5, 0x40, "x")}},
        {"an operation that nobody knows yet",
         Sender::client,
         message(5, 0x7A, "x") + bind,
         {"message 5 122", "whole 1 BindRequest"},
         {bind}},
        {"something else behind a message",
         Sender::client,
         bind + "GET / HTTP/1.1\r\n",
         {"whole 1 BindRequest", "blind: not an LDAP message"},
         {bind}},
        {"an indefinite length",
         Sender::client,
         search + encode::octets("3080 020101 6000 0000") + bind,
         {"message 2 SearchRequest", "blind: an indefinite length"},
         {}},
        {"an id out of range",
         Sender::client,
         encode::octets("3007 02050000000001 6000") + bind,
         {"blind: a message id outside 1 to 2147483647"},
         {}},
        {"an operation of no class that has any",
         Sender::client,
         encode::octets("3005 020101 3000") + bind,
         {"blind: an operation that LDAP does not know"},
         {}},
        {"an empty message",
         Sender::client,
         encode::octets("3000") + bind,
         {"blind: an element that is larger than what contains it"},
         {}},
        {"a message without an operation",
         Sender::client,
         encode::octets("3003 020101") + bind,
         {"blind: an element that is larger than what contains it"},
         {}},
        {"a security layer of SASL",
         Sender::server,
         bound + encode::octets("00000123") + std::string(500, 'x'),
         {"whole 1 BindResponse", "blind: not an LDAP message"},
         {bound}},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{16},
                                        std::size_t{1000}, std::size_t{65536}, c.bytes.size()}) {
            if (piece < 16 && c.bytes.size() > 100000 && piece != 3) continue;  // long enough as it is
            const Story story = run(c.sender, c.bytes, piece);
            EXPECT_EQ(story.events, c.events) << piece;
            EXPECT_EQ(story.wholes, c.wholes) << piece;
            EXPECT_TRUE(story.passed == c.bytes) << "in pieces of " << piece;
        }
    }
}

TEST(LdapStepper, PassesNothingOfABindBeforeItIsWhole) {
    for (std::size_t n = 0; n < bind.size(); ++n) {
        const Story story = run(Sender::client, search + bind.substr(0, n), search.size() + n);
        ASSERT_EQ(story.passed, search) << n;
        const Story by_ones = run(Sender::client, search + bind.substr(0, n), 1);
        ASSERT_EQ(by_ones.passed, search) << n;
    }
}

TEST(LdapStepper, SaysThatABindIsUnreadBeforeAnyOfItHasPassed) {
    const std::string large = message(9, 0x60, std::string(70000, 'b'));
    MessageStepper stepper(Sender::client);
    const auto step = stepper.next(as_bytes(large).first(20));
    EXPECT_EQ(step.what, What::unread);
    EXPECT_EQ(step.bytes.size(), 20u);
    EXPECT_TRUE(stepper.within_message());
}

TEST(LdapStepper, StepsOverFourGigabytes) {
    MessageStepper stepper(Sender::server);
    const std::string head = encode::octets("3084ffffffff 020102 64");
    EXPECT_EQ(stepper.next(as_bytes(head)).what, What::message);
    const std::string piece(std::size_t{1} << 20, 'e');
    std::uint64_t left = std::uint64_t{0xFFFFFFFF} + 6 - head.size();
    while (left > 0) {
        const auto step = stepper.next(as_bytes(piece));
        ASSERT_EQ(step.what, What::rest);
        ASSERT_EQ(step.consumed, std::min<std::uint64_t>(left, piece.size()));
        left -= step.consumed;
    }
    EXPECT_FALSE(stepper.within_message());
    EXPECT_EQ(stepper.next(as_bytes(search)).what, What::message);
}

TEST(LdapStepper, SaysOnceThatItIsBlind) {
    MessageStepper stepper(Sender::client);
    EXPECT_FALSE(stepper.blind());
    EXPECT_EQ(stepper.next(as_bytes("GET")).what, What::blind);
    EXPECT_TRUE(stepper.blind());
    for (int i = 0; i < 3; ++i) {
        const auto step = stepper.next(as_bytes(bind));
        EXPECT_EQ(step.what, What::rest);
        EXPECT_EQ(step.bytes.size(), bind.size());
    }
}
