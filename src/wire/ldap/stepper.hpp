// Follows one direction of an LDAP connection after the first bind: from message to message, whatever their size,
// without keeping them. Only the few operations that a gateway has to look at are handed out whole.
#pragma once

#include "base/bytes.hpp"
#include "wire/ldap/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sallyport::ldap {

/// Fed with the bytes of one sender, in whatever pieces they come. Every byte comes out again, in order, as
/// Step::bytes: who passes on only those has not passed on any of a message that is to be looked at before it was
/// looked at.
///
/// Looked at are BindRequest and ExtendedRequest of a client, BindResponse and ExtendedResponse of a server.
///
/// What can't be followed ends no session by itself: the stepper goes blind, says so once, and lets all else through.
/// Blind towards a client, nobody would see a further bind any more: who authorizes binds has to end the session then,
/// unless a SASL security layer (RFC 4513 section 5.2.1.8) is what it was.
class MessageStepper {
public:
    struct Step {
        enum class What : std::uint8_t {
            need_more,  // nothing to say or to pass on; the input is consumed
            message,  // one of the others begins
            rest,  // more of a message that began before, or anything once blind
            whole,  // a message to look at, all of it
            unread,  // a message to look at begins, but it is larger than max_message
            blind,  // once: `error` says at what
        };

        What what = What::need_more;
        std::size_t consumed = 0;  // bytes of the input that are done with; take them off before the next call
        Bytes bytes = {};  // to be passed on: a view into the input or this stepper, good until the next call
        std::int32_t id = 0;  // where message, whole, unread
        std::uint8_t op = 0;  // likewise: the tag of the operation
        MessageError error = {};  // where blind
    };

    explicit MessageStepper(Sender sender) : sender_(sender) {}

    /// The next thing in the input. Ask again until it answers need_more.
    Step next(Bytes input);

    bool blind() const { return state_ == State::blind; }
    /// Some of a message has come out, but not all: nothing of one's own may be put in between. Once blind, who knows.
    bool within_message() const { return state_ == State::passing; }

private:
    enum class State : std::uint8_t { start, passing, keeping, blind };

    Step read_start(Bytes input);
    Step read_split_start(Bytes input);
    Step begin(const MessageStart& start, Bytes available, std::size_t consumed);
    Step keep(Bytes input, std::size_t consumed);
    Step whole(std::size_t consumed, Bytes bytes);
    Step go_blind(std::size_t consumed, Bytes bytes, MessageError error);
    bool looks_at(std::uint8_t tag) const;

    Sender sender_;
    State state_ = State::start;
    std::uint8_t held_size_ = 0;
    std::array<std::byte, max_message_start> held_;  // a start that came in pieces, held_size_ bytes of it
    MessageStart start_;  // of the message at hand
    std::uint64_t left_ = 0;  // while passing: bytes of it to come
    std::vector<std::byte> kept_;  // while keeping: what has come of it; grows with that, never by its length
};

}  // namespace sallyport::ldap
