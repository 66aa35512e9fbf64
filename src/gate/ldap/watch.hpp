// What the gate looks at after an LDAP connection was routed: further binds, which are authorized again, and StartTLS,
// which comes too late.
#pragma once

#include "gate/ldap/answers.hpp"
#include "gate/tunnel.hpp"
#include "wire/ldap/stepper.hpp"

#include <string>

namespace sallyport::gate::ldap {

class LdapWatch final : public Watch {
public:
    /// @param service  the one that the connection was routed to, by its name
    /// @param sasl     its bytes may be sealed from here on: then they are passed on unread
    LdapWatch(Session& session, std::string service, bool sasl)
        : session_(session), service_(std::move(service)), sasl_(sasl) {}

    bool from_client(Bytes bytes, io::Stream& client, io::Stream& target) override;
    bool from_target(Bytes bytes, io::Stream& client, io::Stream& target) override;
    telemetry::Reason reason() const override { return reason_; }
    std::string_view detail() const override { return detail_; }
    void say_goodbye(io::Stream& client, telemetry::Reason why) override;

private:
    using Step = sallyport::ldap::MessageStepper::Step;

    void look_at_answer(const Step& step);
    bool look(const Step& step, io::Stream& client);
    bool admits_bind(const sallyport::ldap::MessageHead& head, io::Stream& client);
    bool end(telemetry::Reason reason, std::string detail, io::Stream& client);
    void disconnect(io::Stream& client, telemetry::Reason why);
    void tell(io::Stream& client, Bytes answer);

    Session& session_;
    std::string service_;
    bool sasl_;
    bool withhold_ = false;  // the message at hand is answered here and must not reach the target
    sallyport::ldap::MessageStepper up_{sallyport::ldap::Sender::client};
    sallyport::ldap::MessageStepper down_{sallyport::ldap::Sender::server};
    BindJudge binds_;
    std::string to_tell_;  // answers of ours that wait for the end of a message of the target's
    telemetry::Reason reason_ = telemetry::Reason::ok;
    std::string detail_;
};

}  // namespace sallyport::gate::ldap
