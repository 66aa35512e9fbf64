// Any bytes at all: a stepper fed in any pieces says what it says fed at once, hands out messages that are in the
// stream, and takes every byte; Q.931 is read inside what was given, or refused.
#include "base/fuzzing.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/stepper.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace sallyport;
using namespace sallyport::h323;
using What = MessageStepper::Step::What;
using fuzzing::require;
using fuzzing::require_inside;

void read_message(Bytes bytes) {
    Q931Message message;
    const auto read = read_q931(bytes, message);
    require_inside(message.call_reference, bytes);
    require(message.call_reference.size() <= max_call_reference);
    if (message.h225) require_inside(*message.h225, bytes);
    require(!read || peek_q931_type(bytes) == message.type);
}

struct Story {
    std::string events;
    std::string passed;
    std::size_t held = 0;

    bool operator==(const Story&) const = default;
};

// `cuts` says how many bytes come each time, over and over; empty: all at once.
Story step_over(Bytes input, Bytes cuts) {
    MessageStepper stepper;
    Story story;
    for (std::size_t turn = 0; !input.empty();) {
        const std::size_t size =
            cuts.empty() ? input.size() : 1 + std::to_integer<std::size_t>(cuts[turn++ % cuts.size()]) % 32;
        const Bytes piece = input.first(std::min(size, input.size()));
        input = input.subspan(piece.size());
        const std::vector<std::byte> own(piece.begin(), piece.end());  // watched by the sanitizer
        for (Bytes rest(own);;) {
            const auto step = stepper.next(rest);
            require(step.consumed <= rest.size());
            require(step.what != What::passed || !step.bytes.empty());
            rest = rest.subspan(step.consumed);
            story.passed += as_text(step.bytes);
            story.held = story.held + step.consumed - step.bytes.size();
            if (step.what == What::blind) story.events += "blind";
            if (step.what == What::unread) story.events += "unread";
            if (step.what == What::message) {
                require(step.message.size() <= max_message - tpkt_header);
                read_message(step.message);
                story.events += std::string(as_text(step.message)) + "|";
            }
            if (step.what != What::need_more) continue;
            require(rest.empty());
            break;
        }
    }
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const Bytes cuts = input.first(std::min<std::size_t>(size, 3));
    const Bytes wire = input.subspan(cuts.size());
    read_message(wire);
    const Story whole = step_over(wire, {});
    require(as_text(wire).starts_with(whole.passed) && whole.passed.size() + whole.held == wire.size());
    require(step_over(wire, cuts) == whole);
    return 0;
}
