// Follows one direction of an H.323 connection after it was routed: from message to message, whatever their size,
// without keeping them. Only the few that a gateway has to look at are handed out whole.
#pragma once

#include "base/bytes.hpp"
#include "wire/h323/tpkt.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sallyport::h323 {

inline constexpr std::size_t max_message = std::size_t{16} * 1024;  // octets of a TPKT that is read

/// Fed with the bytes of one side, in whatever pieces they come. Every byte comes out again, in order, as Step::bytes:
/// who passes on only those has not passed on any of a message that is to be looked at before it was looked at. Who
/// does not mind passes on what came, and only looks.
///
/// Looked at are the messages that begin, answer or end a call, and Facility, which carries registrations. What can't
/// be followed ends no session: the stepper goes blind, says so once, and takes all else.
class MessageStepper {
public:
    struct Step {
        enum class What : std::uint8_t {
            need_more,  // nothing to say or to pass on; the input is consumed
            passed,  // some of a message that is not looked at, a keep-alive, or anything once blind
            message,  // one to look at, all of it
            unread,  // one to look at begins, but it is larger than max_message
            blind,  // once: `error` says at what
        };

        What what = What::need_more;
        std::size_t consumed = 0;  // bytes of the input that are done with; take them off before the next call
        Bytes bytes = {};  // to be passed on: a view into the input or this stepper, good until the next call
        Bytes message = {};  // likewise: Q.931, without its TPKT
        TpktError error = {};  // where blind
    };

    /// The next thing in the input. Ask again until it answers need_more.
    Step next(Bytes input);

    bool blind() const { return blind_; }
    /// Some of a message has passed, but not all: nothing of one's own may be put in between. Once blind, who knows.
    bool within_message() const { return left_ != 0 || (!kept_.empty() && !handed_out_); }

private:
    Step keep(Bytes input);
    Step go_blind(std::size_t consumed, Bytes bytes, TpktError error);
    Step whole(std::size_t consumed, Bytes frame);
    Step begin(std::size_t consumed, Bytes available, std::size_t length);

    std::vector<std::byte> kept_;  // a message that came in pieces; grows with what has come, never by its length
    bool handed_out_ = false;  // the last step's views are into kept_
    bool blind_ = false;
    std::size_t left_ = 0;  // octets to come of a message that passes
};

}  // namespace sallyport::h323
