// The record of a connection, or of a later request on it, that was refused.
#pragma once

#include "gate/router.hpp"
#include "gate/session.hpp"
#include "telemetry/reason.hpp"

#include <cstdint>
#include <string_view>

namespace sallyport::gate {

struct Refusal {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string_view detail = {};
    std::string_view looked_for = {};
    std::string_view nearest = {};
    std::string_view service = {};
    std::string_view target = {};  // the last one tried
    bool tls_client = false;
    bool tls_target = false;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

/// What a refusal by decide() says of itself, whose detail is the dialect's. Views of its arguments.
/// @param name  that was decided by
/// @param said  what the client asked for, for the record
Refusal about_decision(const Snapshot& snapshot, config::Protocol protocol, const Decision& decision,
                       std::string_view name, std::string_view said);

/// @param since  when what is refused began
void report_refusal(const Session& session, const Refusal& refusal, SteadyTime since);

}  // namespace sallyport::gate
