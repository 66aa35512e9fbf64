#include "wire/h323/captures_testing.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/stepper.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sallyport::h323 {
namespace {

using What = MessageStepper::Step::What;

std::string frame(std::string_view contents) {
    std::string out("\x03\0", 2);
    testing::put(out, 4 + contents.size(), 2);
    return out + std::string(contents);
}

std::string message(std::uint8_t type, std::size_t more = 0) {
    return std::string("\x08\x02\x12\x67", 4) + static_cast<char>(type) + std::string(more, '\x90');
}

const std::string keep_alive("\x03\0\0\x04", 4);
const std::string short_keep_alive("\0\x03\0\x04", 4);

// What is told of a stream that comes in pieces of one size: "62" for a Facility, "!" for blindness.
std::string story(const std::string& stream, std::size_t piece_size) {
    MessageStepper stepper;
    std::string out;
    std::string passed;
    std::size_t held = 0;
    for (std::size_t i = 0; i < stream.size(); i += piece_size) {
        const std::string piece = stream.substr(i, piece_size);
        for (Bytes rest = as_bytes(piece);;) {
            const auto step = stepper.next(rest);
            rest = rest.subspan(step.consumed);
            passed += as_text(step.bytes);
            held = held + step.consumed - step.bytes.size();
            if (step.what == What::need_more) break;
            if (step.what == What::blind) out += "! ";
            if (step.what == What::unread) out += "? ";
            if (step.what != What::message) continue;
            out += std::to_string(*peek_q931_type(step.message)) + ":" + std::to_string(step.message.size()) + " ";
        }
    }
    EXPECT_EQ(passed, stream.substr(0, stream.size() - held)) << "every byte, in order";
    return out;
}

TEST(H323Stepper, TellsOfCallsAndRegistrationsInWhateverPiecesTheyCome) {
    struct Case {
        std::string name, stream, story;
    };
    const Case cases[] = {
        {"nothing", "", ""},
        {"a registration", frame(message(q931::facility, 20)), "98:25 "},
        {"a call",
         frame(message(q931::setup)) + frame(message(q931::alerting)) + frame(message(q931::connect)) +
             frame(message(q931::release_complete)),
         "5:5 1:5 7:5 90:5 "},
        {"keep-alives of both kinds",
         keep_alive + short_keep_alive + frame(message(q931::setup)) + short_keep_alive + keep_alive +
             frame(message(q931::setup)),
         "5:5 5:5 "},
        {"others pass", frame(message(0x7B, 300)) + frame(message(q931::call_proceeding)) + frame(message(q931::setup)),
         "5:5 "},
        {"what is no Q.931 passes",
         frame("x") + frame("\x08") + frame(std::string("\x08\x0F", 2)) + frame(message(q931::setup)), "5:5 "},
        {"the largest that is read", frame(message(q931::facility, max_message - 9)) + frame(message(q931::setup)),
         "98:16380 5:5 "},
        {"a larger one passes", frame(message(q931::facility, max_message - 8)) + frame(message(q931::setup)),
         "? 5:5 "},
        {"a reserved octet that is not zero", "\x03\x55" + frame(message(q931::setup)).substr(2), "5:5 "},
        {"blind at what is no TPKT", frame(message(q931::setup)) + "GET / HTTP/1.1" + frame(message(q931::setup)),
         "5:5 ! "},
        {"blind at a length below its header", std::string("\x03\0\0\x03", 4) + frame(message(q931::setup)), "! "},
        {"blind at half a keep-alive", std::string("\0\x03\0\x05", 4), "! "},
        {"a call reference of none", frame(std::string("\x08\0\x62", 3)), "98:3 "},
    };
    for (const Case& c : cases) {
        for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1000}, max_tpkt}) {
            EXPECT_EQ(story(c.stream, size), c.story) << c.name << ", " << size << " at a time";
        }
    }
}

TEST(H323Stepper, KnowsWhereAMessageEnds) {
    MessageStepper stepper;
    const std::string whole = frame(message(q931::facility, 10)) + frame(message(0x7B, 10));
    const std::size_t first = whole.size() / 2;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_EQ(stepper.within_message(), i % first != 0) << i;
        for (Bytes rest = as_bytes(whole).subspan(i, 1);;) {
            const auto step = stepper.next(rest);
            rest = rest.subspan(step.consumed);
            if (step.what == What::need_more) break;
        }
    }
    EXPECT_FALSE(stepper.within_message());
}

TEST(H323Stepper, FollowsTheCaptures) {
    std::string all;
    std::size_t looked_at = 0;
    for (const auto& tpkt : testing::captured_messages()) {
        all += tpkt;
        const auto type = peek_q931_type(as_bytes(tpkt).subspan(4));
        looked_at += type && *type != q931::call_proceeding ? 1 : 0;
    }
    const std::string at_once = story(all, all.size());
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(at_once, ' ')), looked_at);
    EXPECT_EQ(story(all, 1), at_once);
    EXPECT_EQ(story(all, 1460), at_once);
}

}  // namespace
}  // namespace sallyport::h323
