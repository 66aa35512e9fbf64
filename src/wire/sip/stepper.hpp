// Stepping through one direction of a SIP connection, from message to message, while its bytes pass by.
//
// A head is held back until it is whole, so that it can be judged before any of it is passed on; bodies and the line
// ends between messages go through as they come.
#pragma once

#include "base/bytes.hpp"
#include "wire/sip/message.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sallyport::sip {

/// Reads what one end of a connection sends, in whatever pieces it comes.
///
/// What can't be read ends differently by who sent it. A client must be understood, or its requests could not be
/// judged: the stepper refuses. A target is only watched, and no session fails on an answer that can't be read: the
/// stepper says once that it went blind and lets everything pass from then on.
class MessageStepper {
public:
    enum class Sender : std::uint8_t { client, target };

    struct Step {
        enum class What : std::uint8_t {
            need_more,  // everything was consumed; nothing more to say
            head,  // a message's head, whole; `message` was filled
            body,  // some of its body
            between,  // line ends between messages: keep-alives (RFC 5626 section 3.5.1)
            blind,  // once, and only from a target: what could not be read, with `error`
            unread,  // what comes after that
            refused,  // only from a client: `error`; the stepper is done
        };

        What what = What::need_more;
        std::size_t consumed = 0;  // bytes of the input that are done with; take them off before the next call
        Bytes bytes = {};  // to be passed on: of the head, body and so on. Empty where need_more and refused
        MessageError error = MessageError::bad_method;  // where blind and refused
    };

    explicit MessageStepper(Sender sender) : sender_(sender) {}

    /// The next thing in the input. Where it is head, `message` and `bytes` are views into the input or into what the
    /// stepper holds: valid until the next call. An unfinished head is held, at most max_head bytes.
    Step next(Bytes input, Message& message);

    /// Has some of a body passed, and not all of it? Nothing of another sender's may be put in there.
    bool within_body() const { return state_ == State::body; }
    /// Can it no longer tell where messages begin and end?
    bool blind() const { return state_ == State::blind; }

    /// What is held of a head that never became whole: to be passed on when a target ends in the middle of it.
    Bytes held() const { return done_ ? Bytes() : Bytes(held_); }

private:
    enum class State : std::uint8_t { head, body, blind, refused };

    Step read_body(Bytes input);
    Step read_head(Bytes input, Message& message);
    Step continue_head(Bytes input, Message& message);
    Step whole_head(Bytes head, std::size_t consumed, Message& message);
    Step good_head(Bytes head, std::size_t consumed, const Message& message);
    Step fail(MessageError error, Bytes bytes, std::size_t consumed);

    Sender sender_;
    State state_ = State::head;
    bool done_ = false;  // what is held was handed out and goes at the next call
    std::uint64_t body_left_ = 0;  // bytes
    std::vector<std::byte> held_;  // the beginning of a head; never more than max_head
};

}  // namespace sallyport::sip
