// Any bytes at all: an answer, never a read outside; every value lies within the message; frames and messages agree on
// where one ends; what is written again with the same attributes reads the same.
#include "base/fuzzing.hpp"
#include "wire/stun/framing.hpp"
#include "wire/stun/message.hpp"

#include <algorithm>
#include <array>

namespace {

using namespace sallyport;
using fuzzing::require;

bool within(Bytes part, Bytes whole) {
    return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_addresses(const stun::Message& message, stun::Attribute attribute) {
    const auto first = message.address(attribute);
    std::size_t count = 0;
    message.each_address(attribute, [&](const auto& address) {
        if (count++ == 0) require(address == first);
    });
    if (!first) return;
    std::array<std::byte, 64> room;
    stun::MessageWriter writer(room, message.kind(), message.method(), message.transaction());
    writer.add_address(attribute, *first);
    const auto again = stun::read_message(*writer.finish());
    require(again && again->address(attribute) == first && again->method() == message.method());
}

void check_message(Bytes bytes, stun::Classic classic) {
    const auto message = stun::read_message(bytes, classic);
    if (!message) return;
    for (std::size_t i = 0; i < stun::attribute_table.size(); ++i) {
        const auto attribute = static_cast<stun::Attribute>(i);
        require(within(message->value(attribute), bytes));
        require(message->has(attribute) || message->value(attribute).empty());
        if (stun::attribute_table[i].is_xored && !message->is_classic()) check_addresses(*message, attribute);
    }
    for (const auto kind : {stun::Attribute::message_integrity, stun::Attribute::message_integrity_sha256}) {
        if (const auto input = message->integrity(kind)) {
            require(within(input->attributes, bytes) && input->attributes.size() % 4 == 0);
        }
    }
    message->has_valid_fingerprint();
    if (message->is_classic()) return;  // streams came later: none of it is read from one
    const auto frame = stun::next_frame(bytes);
    require(frame.state == stun::Frame::State::complete && frame.size == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    check_message(bytes, stun::Classic::no);
    check_message(bytes, stun::Classic::yes);
    if (const auto channel = stun::read_channel_data(bytes)) require(within(channel->data, bytes));
    const auto whole = stun::next_frame(bytes);
    const auto part = stun::next_frame(bytes.first(size / 2));
    require(part.state != stun::Frame::State::malformed || whole.state == stun::Frame::State::malformed);
    if (whole.state == stun::Frame::State::complete) require(whole.size <= size);
    return 0;
}
