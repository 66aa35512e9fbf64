// Stepping through a connection: what is handed out, whatever pieces the bytes come in.
#include "wire/sip/stepper.hpp"

#include "wire/sip/route.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sallyport::sip {
namespace {

using What = MessageStepper::Step::What;
using Sender = MessageStepper::Sender;

// What the stepper said, in words, and everything that it passed on.
struct Story {
    std::string told;
    std::string passed;

    bool operator==(const Story&) const = default;
};

// Runs of the same thing are told once: how many pieces a body comes in is nobody's business.
void tell(Story& story, std::string_view word) {
    if (!story.told.ends_with(word)) story.told += (story.told.empty() ? "" : ", ") + std::string(word);
}

Story play(Sender sender, std::string_view bytes, std::size_t piece) {
    MessageStepper stepper(sender);
    Message message;
    Story story;
    for (std::size_t start = 0; start < bytes.size(); start += piece) {
        Bytes input = as_bytes(bytes.substr(start, piece));
        for (;;) {
            const auto step = stepper.next(input, message);
            input = input.subspan(step.consumed);
            story.passed += as_text(step.bytes);
            if (step.what == What::need_more) break;
            if (step.what == What::head) {
                tell(story, message.is_request() ? message.method : std::to_string(message.status));
            }
            if (step.what == What::body) tell(story, "body");
            if (step.what == What::between) tell(story, "between");
            if (step.what == What::blind) tell(story, "blind: " + std::string(text(step.error)));
            if (step.what == What::unread) tell(story, "unread");
            if (step.what == What::refused) {
                tell(story, "refused: " + std::string(text(step.error)));
                return story;
            }
        }
        EXPECT_TRUE(input.empty());
    }
    story.passed += as_text(stepper.held());
    return story;
}

const std::string invite = "INVITE sip:a SIP/2.0\r\nFrom: <sip:b@c>\r\nl: 10\r\n\r\n0123\r\n\r\n89";
const std::string ok = "SIP/2.0 200 OK\r\nl: 0\r\n\r\n";
const std::string options = "OPTIONS sip:a SIP/2.0\r\n\r\n";

TEST(MessageStepper, TellsHeadsBodiesAndWhatIsBetween) {
    struct Case {
        std::string bytes;
        std::string_view told;
    };
    const Case cases[] = {
        {options, "OPTIONS"},
        {options + ok, "OPTIONS, 200"},
        {invite + ok, "INVITE, body, 200"},
        {"\r\n\r\n" + invite + "\r\n\r\n\r\n" + ok + "\r\n", "between, INVITE, body, between, 200, between"},
        {invite + options + "\r\n", "INVITE, body, OPTIONS, between"},
    };
    for (const Case& c : cases) {
        for (const Sender sender : {Sender::client, Sender::target}) {
            for (std::size_t piece = 1; piece <= c.bytes.size(); ++piece) {
                const Story story = play(sender, c.bytes, piece);
                EXPECT_EQ(story.told, c.told) << piece;
                EXPECT_EQ(story.passed, c.bytes) << piece;
            }
        }
    }
}

TEST(MessageStepper, RefusesAClientThatItCannotRead) {
    const std::pair<std::string, std::string_view> cases[] = {
        {options + "nonsense\r\n\r\n", "OPTIONS, refused: the method is not a token"},
        {invite + "l: 5\r\n\r\n", "INVITE, body, refused: the method is not a token"},
        {"OPTIONS sip:a SIP/2.0\r\nl: x\r\n\r\n" + options, "refused: the Content-Length is not a number"},
        {"\rx\r\n\r\n", "refused: a carriage return without a line feed"},
        {options + "OPTIONS sip:a SIP/2.0\r\ns: " + std::string(max_head, 'x'),
         "OPTIONS, refused: a head of more than 16 KiB"},
    };
    for (const auto& [bytes, told] : cases) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4000}, bytes.size()}) {
            const Story story = play(Sender::client, bytes, piece);
            EXPECT_EQ(story.told, told) << piece;
            EXPECT_TRUE(bytes.starts_with(story.passed) && !story.passed.contains("nonsense")) << piece;
        }
    }
}

TEST(MessageStepper, GoesBlindOnATargetThatItCannotReadAndLetsEverythingPass) {
    const std::pair<std::string, std::string_view> cases[] = {
        {ok + "nonsense\r\n\r\n" + ok, "200, blind: the method is not a token, unread"},
        {ok + "SIP/2.0 200 OK\r\ns: " + std::string(2 * max_head, 'x') + "\r\n\r\n" + ok,
         "200, blind: a head of more than 16 KiB, unread"},
    };
    for (const auto& [bytes, told] : cases) {
        for (const std::size_t piece : {1UL, 7UL, 4000UL, 20000UL}) {
            const Story story = play(Sender::target, bytes, piece);
            EXPECT_EQ(story.told, told) << piece;
            EXPECT_EQ(story.passed, bytes) << piece;
        }
    }
}

TEST(MessageStepper, HandsOutWhatItHeldWhereATargetEndsInTheMiddleOfAHead) {
    for (std::size_t n = 0; n < ok.size(); ++n) {
        EXPECT_EQ(play(Sender::target, ok + ok.substr(0, n), 5).passed, ok + ok.substr(0, n));
    }
}

TEST(MessageStepper, StaysRefusedAndLeavesTheFieldsForAnAnswer) {
    const std::string bytes = "OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\nl: y\r\n\r\n";
    MessageStepper stepper(Sender::client);
    Message message;
    EXPECT_EQ(stepper.next(as_bytes(bytes).first(20), message).what, What::need_more);
    EXPECT_EQ(stepper.next(as_bytes(bytes).subspan(20), message).what, What::refused);
    ASSERT_NE(find(message.fields, FieldKind::call_id), nullptr);
    EXPECT_EQ(find(message.fields, FieldKind::call_id)->value, "x");
    EXPECT_EQ(stepper.next(as_bytes(options), message).what, What::refused);
}

TEST(MessageStepper, ReadsALargeHeadOfSmallPiecesOnce) {
    // Each piece is looked at once: were the head read anew with every byte, this would take minutes.
    std::string bytes;
    const std::string large = "OPTIONS sip:a SIP/2.0\r\ns: " + std::string(16000, 'x') + "\r\n\r\n";
    for (int i = 0; i < 20; ++i) bytes += large;
    EXPECT_EQ(play(Sender::client, bytes, 1).passed.size(), bytes.size());
}

}  // namespace
}  // namespace sallyport::sip
