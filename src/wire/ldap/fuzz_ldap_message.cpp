// Any bytes at all: views inside what was given, no prefix of a message that is read differently, operations that are
// read or refused. A stepper fed in any pieces says what it says fed at once, and lets out every byte in order.
#include "base/fuzzing.hpp"
#include "wire/ldap/bind.hpp"
#include "wire/ldap/bind_name.hpp"
#include "wire/ldap/extended.hpp"
#include "wire/ldap/message.hpp"
#include "wire/ldap/stepper.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace {

using namespace sallyport;
using namespace sallyport::ldap;
using What = MessageStepper::Step::What;
using fuzzing::require;
using fuzzing::require_inside;

void read_operation(const MessageHead& head) {
    if (const auto bind = read_bind_request(head.operation)) {
        for (const Bytes part : {as_bytes(bind->name), bind->password, as_bytes(bind->mechanism)}) {
            require_inside(part, head.operation);
        }
        require((bind->kind == BindKind::simple) <= (!bind->name.empty() && !bind->password.empty()));
        require(bind_domain(bind->name).domain.size() <= max_domain);
    }
    if (const auto extended = read_extended_request(head.operation)) {
        require_inside(as_bytes(extended->oid), head.operation);
    }
    if (const auto response = read_extended_response(head.operation)) {
        require_inside(as_bytes(response->result.diagnostic), head.operation);
        require_inside(as_bytes(response->oid), head.operation);
        require(response->result.code >= 0 && response->result.diagnostic.size() <= max_diagnostic);
    }
}

void read_heads(Bytes input, Sender sender) {
    MessageHead head;
    const auto result = read_message_head(input, sender, head);
    if (result.state != MessageResult::State::complete) return;
    require(head.length <= input.size() && head.length <= max_message && head.id >= 0);
    require_inside(head.operation, input.first(head.length));
    require_inside(head.controls, input.first(head.length));
    for (const std::size_t shorter : {head.length / 2, head.length - 1}) {
        MessageHead part;
        require(read_message_head(input.first(shorter), sender, part).state == MessageResult::State::need_more);
    }
    read_operation(head);
}

struct Story {
    std::vector<std::string> events;
    std::string passed;
    std::size_t held = 0;

    bool operator==(const Story&) const = default;
};

// `cuts` says how many bytes come each time, over and over; empty: all at once.
Story step_over(Bytes input, Bytes cuts, Sender sender) {
    MessageStepper stepper(sender);
    Story story;
    for (std::size_t turn = 0; !input.empty();) {
        const std::size_t size =
            cuts.empty() ? input.size() : 1 + std::to_integer<std::size_t>(cuts[turn++ % cuts.size()]) % 32;
        const Bytes piece = input.first(std::min(size, input.size()));
        input = input.subspan(piece.size());
        const std::vector<std::byte> own(piece.begin(), piece.end());  // watched by the sanitizer
        Bytes rest(own);
        for (bool more = true; more;) {
            const auto step = stepper.next(rest);
            require(step.consumed <= rest.size());
            rest = rest.subspan(step.consumed);
            story.held = story.held + step.consumed - step.bytes.size();
            story.passed += as_text(step.bytes);
            more = step.what != What::need_more;
            require(more || rest.empty());
            require(step.what != What::rest || !step.bytes.empty());
            if (!more || step.what == What::rest) continue;
            story.events.push_back(std::to_string(static_cast<int>(step.what)) + " " + std::to_string(step.id) + " " +
                                   std::to_string(step.op) + " " + std::string(text(step.error)));
            if (step.what == What::whole) story.events.emplace_back(as_text(step.bytes));
        }
    }
    return story;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const Bytes cuts = input.first(std::min<std::size_t>(size, 3));
    const Bytes wire = input.subspan(cuts.size());
    for (const Sender sender : {Sender::client, Sender::server}) {
        read_heads(wire, sender);
        const Story whole = step_over(wire, {}, sender);
        require(as_text(wire).starts_with(whole.passed));
        require(whole.passed.size() + whole.held == wire.size());
        require(step_over(wire, cuts, sender) == whole);
    }
    return 0;
}
