// Any bytes at all, in any pieces: the same heads, bodies and errors as at once; from a target, everything passes
// unchanged; from a client, what passes is the front of what came, and ends before what is refused.
#include "base/fuzzing.hpp"
#include "wire/sip/route.hpp"
#include "wire/sip/stepper.hpp"
#include "wire/sip/transactions.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace {

using sallyport::Bytes;
using namespace sallyport::sip;
using What = MessageStepper::Step::What;
using sallyport::fuzzing::require;

struct Story {
    std::string heads;  // of all messages, in a row
    std::string bodies;
    std::string between;
    std::string passed;
    std::size_t messages = 0;
    std::size_t blinded = 0;
    std::optional<MessageError> error;

    bool operator==(const Story&) const = default;
};

void take(const MessageStepper::Step& step, const Message& message, Story& story) {
    const auto text = sallyport::as_text(step.bytes);
    story.passed += text;
    switch (step.what) {
        case What::head:
            require(text.ends_with("\r\n\r\n") && text.size() <= max_head);
            require(message.is_request() != message.is_response());
            story.heads += text;
            ++story.messages;
            break;
        case What::body: story.bodies += text; break;
        case What::between: story.between += text; break;
        case What::blind: ++story.blinded; [[fallthrough]];
        case What::refused: story.error = step.error; break;
        default: break;
    }
}

// `cuts` says how many bytes come each time, over and over.
Story play(MessageStepper::Sender sender, Bytes wire, Bytes cuts) {
    MessageStepper stepper(sender);
    TransactionTable table;
    Message message;
    Story story;
    for (std::size_t at = 0, turn = 0; at < wire.size();) {
        const std::size_t size =
            cuts.empty() ? wire.size() : 1 + std::to_integer<std::size_t>(cuts[turn++ % cuts.size()]);
        Bytes piece = wire.subspan(at, std::min(size, wire.size() - at));
        at += piece.size();
        for (What what = What::head; what != What::need_more;) {
            const auto step = stepper.next(piece, message);
            require(step.consumed <= piece.size());
            piece = piece.subspan(step.consumed);
            take(step, message, story);
            what = step.what;
            if (what == What::refused) return story;
            if (what == What::head && message.is_request()) table.sent(message);
            if (what == What::head && message.is_response()) table.answered(message);
            require(table.size() <= TransactionTable::capacity);
        }
        require(piece.empty() && stepper.held().size() < max_head);
    }
    if (sender == MessageStepper::Sender::target) story.passed += sallyport::as_text(stepper.held());
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const Bytes cuts = input.first(std::min<std::size_t>(size, 4));
    const Bytes wire = input.subspan(cuts.size());
    const auto all = sallyport::as_text(wire);

    const Story target = play(MessageStepper::Sender::target, wire, {});
    require(play(MessageStepper::Sender::target, wire, cuts) == target);
    require(target.passed == all && target.blinded <= 1);

    const Story client = play(MessageStepper::Sender::client, wire, {});
    require(play(MessageStepper::Sender::client, wire, cuts) == client);
    require(all.starts_with(client.passed) && client.blinded == 0);
    require(client.error == target.error && client.heads == target.heads && client.bodies == target.bodies);
    return 0;
}
