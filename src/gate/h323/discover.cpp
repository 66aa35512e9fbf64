#include "gate/h323/discover.hpp"

#include "gate/gate.hpp"
#include "gate/h323/judge.hpp"
#include "wire/h323/stepper.hpp"

#include <algorithm>
#include <string>

namespace sallyport::gate::h323 {

namespace {

using namespace sallyport::h323;
using telemetry::Reason;
using What = MessageStepper::Step::What;

enum class Said : std::uint8_t { part, whole, unreadable };

Said look(MessageStepper& stepper, Bytes bytes, Judge& judge, Session& session, TargetState& target) {
    Said said = Said::part;
    for (;;) {
        const auto step = stepper.next(bytes);
        bytes = bytes.subspan(step.consumed);
        switch (step.what) {
            case What::need_more: return said;
            case What::passed: break;
            case What::unread:
            case What::blind: return Said::unreadable;
            case What::message:
                said = Said::whole;
                target.spoke(session.gate.loop().now());
                if (const auto sign = judge.answered(hear(step.message))) session.gate.suspect(session, *sign);
        }
    }
}

}  // namespace

bool only_discovers(const Heard& heard) {
    const auto discovers = [](const RasMessage& ras) { return ras.kind == ras::gatekeeper_request; };
    return !heard.ras.empty() && std::ranges::all_of(heard.ras, discovers);
}

io::Task<Reason> discover(Session& session, Opening& opening, Tunnel& tunnel, Bytes question, const Heard& heard) {
    io::Stream& target = tunnel.target.stream;
    TargetState& state = *tunnel.target.lease.target();
    const io::Deadline deadline = target.loop().in(silent_after);
    const SteadyTime asked = target.loop().now();
    Judge judge;
    judge.asked(heard);
    target.write(question);
    MessageStepper stepper;
    std::string answer;
    for (;;) {
        const io::Got got = target.read(target.loop().buffer().first(max_message));
        if (got.io == io::Io::ok) {
            const Bytes came = Bytes(target.loop().buffer()).first(got.bytes);
            answer += as_text(came);
            const Said said = look(stepper, came, judge, session, state);
            if (said == Said::unreadable) co_return Reason::target_malformed;
            if (said == Said::part) continue;
            opening.say(as_bytes(answer));
            co_return Reason::ok;
        }
        const io::Wait waited = got.io == io::Io::again ? co_await target.readable(deadline) : io::Wait::ready;
        if (waited == io::Wait::cancelled) co_return session.ended_by;
        const bool closed = got.io != io::Io::again;
        if (!closed && waited == io::Wait::ready) continue;
        if (const auto sign = sign_of_silence(state, asked, target.loop().now(), closed))
            session.gate.suspect(session, *sign);
        co_return closed ? Reason::target_closed : Reason::target_stalled;
    }
}

}  // namespace sallyport::gate::h323
