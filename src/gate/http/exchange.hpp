// One request and its answer between a client and a target, both directions at once.
#pragma once

#include "gate/http/connection.hpp"
#include "gate/http/recoder.hpp"

#include <string>

namespace sallyport::gate::http {

class Exchange {
public:
    enum class End : std::uint8_t {
        answered,        // the answer went out whole
        switched,        // 101: both sides speak WebSocket now
        refused,         // before anything of the answer reached the client; story.reason says why
        cut,             // in the middle of an answer: only closing the connection can tell the client
        client_gone,
    };

    Exchange(Connection& connection, Request& request, Story& story, io::Stream& target);

    /// Composes and sends the head, then pumps until the end. At most one await per turn.
    io::Task<End> run();

    /// Nothing of an answer has come, so the request may be tried on another connection if its method allows.
    bool untouched() const { return !answer_begun_ && !target_spoke_; }
    bool request_sent_whole() const { return up_.ended(); }
    bool target_reusable() const { return target_reusable_; }
    /// Does the target tell its client by the connection, as NTLM does? Then nobody else may use it.
    bool knows_its_client() const { return knows_its_client_; }
    /// What the target sent behind its 101.
    std::string_view carried() const { return carry_; }

private:
    enum class Pumped : std::uint8_t { waiting, share_used, ended, failed };

    const sallyport::http::RequestHead& own_head();
    void look_at_answer();
    bool send_head();
    Pumped pump_up();
    Pumped feed_up();
    Pumped pump_down();
    Pumped take_answer(Bytes input, bool at_end);
    Pumped take_head(Bytes& input, ByteWriter& out);
    Pumped take_body(Bytes& input, ByteWriter& out, bool at_end);
    bool begin_answer(std::size_t head_length, ByteWriter& out);
    Pumped fail(telemetry::Reason reason, std::string detail = {});
    End end_of_failure() const;
    End timed_out();
    End cancelled();
    bool send_to_client(Bytes bytes);

    Connection& connection_;
    Request& request_;
    Story& story_;
    io::Stream& target_;
    Recoder up_;
    Recoder down_;
    std::string carry_;            // of the answer: read and not yet understood
    unsigned interim_answers_ = 0;
    bool up_broken_ = false;       // the target takes no more of the request; its answer may still come
    bool target_spoke_ = false;
    bool answer_begun_ = false;    // the final head went to the client
    bool switched_ = false;
    bool answer_keeps_target_ = false;
    bool target_reusable_ = false;
    bool client_failed_ = false;
    bool knows_its_client_ = false;
};

}  // namespace sallyport::gate::http
