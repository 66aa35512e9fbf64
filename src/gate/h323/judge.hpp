// What a target's answers say about a client: which of them only a stranger would get, each counted once.
#pragma once

#include "gate/h323/asked.hpp"
#include "gate/targets/state.hpp"
#include "guard/lookout.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace sallyport::gate::h323 {

/// Of a GRJ or RRJ. Nothing: an honest phone gets it too, after a restart, by its settings, or because it is sent
/// elsewhere.
std::optional<guard::Sign> sign_of_reject(const sallyport::h323::RasMessage& reject);

/// Of the ReleaseComplete that is the first answer to a Setup, or to what belongs to no call.
/// @param cause   Q.850
/// @param reason  of ReleaseCompleteReason
std::optional<guard::Sign> sign_of_release(std::optional<std::uint8_t> cause, std::optional<std::uint8_t> reason);

/// A target that has not said a word by then says nothing: some gatekeepers drop what is not for them.
inline constexpr std::chrono::seconds silent_after{10};

/// Of a target that has left the first message of a connection without a word. Only while it talks to others: an outage
/// is nobody's fault.
/// @param asked   when the message came
/// @param closed  the target has ended the connection; else it was given up by the client
std::optional<guard::Sign> sign_of_silence(const TargetState& target, SteadyTime asked, SteadyTime now, bool closed);

/// Matches answers to what was asked. A message that can't be read is nothing that was asked, and no answer.
class Judge {
public:
    void asked(const Heard& by_client);
    std::optional<guard::Sign> answered(const Heard& by_target);

private:
    // The last ones that wait for an answer; what is older has none to come.
    class Waiting {
    public:
        void add(std::uint16_t number);
        /// Was it waiting? It is no longer.
        bool take(std::uint16_t number);

    private:
        std::array<std::optional<std::uint16_t>, 8> numbers_;
        std::size_t next_ = 0;
    };

    std::optional<guard::Sign> call_answered(const Heard& by_target);

    Waiting requests_;  // by requestSeqNum
    Waiting calls_;  // of the client's, by call reference
};

}  // namespace sallyport::gate::h323
