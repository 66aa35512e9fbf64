// What the gate looks at after a SIP connection was routed: every further request of the client, which is authorized
// again, and what the target's answers say about the client.
#pragma once

#include "gate/shown_certificate.hpp"
#include "gate/sip/answers.hpp"
#include "gate/sip/own_route.hpp"
#include "gate/tunnel.hpp"
#include "wire/sip/stepper.hpp"
#include "wire/sip/transactions.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::gate {
class PassOn;
}

namespace sallyport::gate::sip {

class SipWatch final : public Watch {
public:
    /// The first request that it is shown is the one that has been decided.
    /// @param tunnel  that it will watch, and outlives it
    /// @param shown   what the client's certificate is worth; null: no service cares
    SipWatch(Session& session, const Tunnel& tunnel, std::unique_ptr<ShownCertificate> shown)
        : session_(session), tunnel_(tunnel), shown_(std::move(shown)) {}

    /// From here on the gateway is in the route of every dialog.
    void be_in_route(OwnRoute route) { route_ = std::move(route); }
    /// A request for sips: goes on in plain: the record says so where nothing worse happens.
    void note_plain_leg() { detail_ = "sips: asks for TLS on each hop, and the leg is plain"; }

    bool from_client(Bytes bytes, io::Stream& client, io::Stream& target) override;
    bool from_target(Bytes bytes, io::Stream& client, io::Stream& target) override;
    void target_ended(io::Stream& client) override { client.write(down_.held()); }
    telemetry::Reason reason() const override { return reason_; }
    std::string_view detail() const override { return detail_; }
    /// SIP has no words for the end of a connection: what is answered is requests.
    void say_goodbye(io::Stream&, telemetry::Reason) override {}

private:
    using Message = sallyport::sip::Message;
    using Stepper = sallyport::sip::MessageStepper;

    struct Denial {
        telemetry::Reason reason = telemetry::Reason::ok;
        std::string_view detail = {};
        std::uint16_t status = 0;  // 0: the one that the reason has
    };

    /// Whom a request was from that was admitted: telephones say the same minute by minute, and the answer is the same
    /// until the configuration is another.
    struct Admitted {
        std::string from;  // without its tag; empty: nobody yet that is to be remembered
        std::uint64_t snapshot_number = 0;
    };

    void pass_head(const Message& message, Bytes head, OwnRoute::Towards towards, PassOn& pass) const;
    void look_at_answer(const Message& response);
    bool admits(const Message& request, io::Stream& client);
    bool is_admitted(const Message& request) const;
    Denial judge(const Message& request, const io::Stream& client);
    bool answers_refusal(const Message& request) const;
    void refuse(const Message& request, const Denial& denial, io::Stream& client);
    bool end(telemetry::Reason reason, std::string_view detail);
    void tell(const Message& request, const Denial& denial, io::Stream& client);

    Session& session_;
    const Tunnel& tunnel_;
    std::unique_ptr<ShownCertificate> shown_;
    std::optional<OwnRoute> route_;  // nothing: messages pass as they are
    Stepper up_{Stepper::Sender::client};
    Stepper down_{Stepper::Sender::target};
    bool vouched_for_ = true;  // the first request: it was decided to find the target
    Admitted admitted_;
    bool withhold_ = false;  // the message at hand was refused: its body must not reach the target
    sallyport::sip::TransactionTable asked_;
    AnswerJudge answers_;
    std::string tag_;  // in front of every tag of ours, once there is one
    unsigned refused_ = 0;  // so far
    std::string to_tell_;  // answers of ours that wait for the end of a message of the target's
    telemetry::Reason reason_ = telemetry::Reason::ok;
    std::string detail_;
};

}  // namespace sallyport::gate::sip
