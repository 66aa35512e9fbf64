// What the gate looks at after an H.323 connection was routed. It is never routed again: what a registration names
// later goes into the record, and what the target refuses to the guard. Only where a certificate has vouched for who
// was registered, who else is registered later is looked at first, and ends the connection where it is somebody else.
#pragma once

#include "gate/gate.hpp"
#include "gate/h323/judge.hpp"
#include "gate/h323/registered.hpp"
#include "gate/tunnel.hpp"
#include "wire/h323/stepper.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace sallyport::gate::h323 {

class H323Watch final : public Watch {
public:
    /// @param tunnel   that it will watch, and outlives it
    /// @param vouched  the certificate for whose word the target takes the connection; null: there is none
    H323Watch(Session& session, const Tunnel& tunnel, RegisteredNames names, std::unique_ptr<ShownCertificate> vouched)
        : session_(session),
          tunnel_(tunnel),
          names_(names),
          vouched_(std::move(vouched)),
          asked_(session.gate.loop().now()) {}

    bool from_client(Bytes bytes, io::Stream& client, io::Stream& target) override;
    bool from_target(Bytes bytes, io::Stream& client, io::Stream& target) override;
    void target_ended(io::Stream&) override { target_ended_ = true; }
    void over(io::RelayEnd end) override;
    telemetry::Reason reason() const override { return reason_; }
    std::string_view detail() const override { return detail_; }
    /// There are no words for the end of a connection: a phone that loses it registers anew.
    void say_goodbye(io::Stream&, telemetry::Reason) override {}

private:
    bool from_vouched(Bytes bytes, io::Stream& client, io::Stream& target);
    bool admits(const Heard& heard, io::Stream& client);
    bool end(telemetry::Reason reason, std::string detail, const Heard& heard, io::Stream& client);
    void hear_client(const Heard& heard);
    void hear_target(const Heard& heard);
    void note(const std::string& text);

    Session& session_;
    const Tunnel& tunnel_;
    RegisteredNames names_;
    std::unique_ptr<ShownCertificate> vouched_;
    sallyport::h323::MessageStepper up_;
    sallyport::h323::MessageStepper down_;
    Judge judge_;
    SteadyTime asked_;  // when the first message came
    bool target_spoke_ = false;
    bool target_ended_ = false;
    std::string gatekeeper_;  // the first one that was named, as it is compared
    telemetry::Reason reason_ = telemetry::Reason::ok;
    std::string detail_;
};

}  // namespace sallyport::gate::h323
