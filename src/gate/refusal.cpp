#include "gate/refusal.hpp"

#include "gate/dialect.hpp"
#include "gate/gate.hpp"

namespace sallyport::gate {

Refusal about_decision(const Snapshot& snapshot, config::Protocol protocol, const Decision& decision,
                       std::string_view name, std::string_view said) {
    Refusal about{.reason = decision.reason, .looked_for = said};
    if (decision.reason == telemetry::Reason::service_unknown) about.nearest = snapshot.nearest_name(protocol, name);
    if (decision.service != nullptr) about.service = decision.service->name;
    return about;
}

void report_refusal(const Session& session, const Refusal& refusal, SteadyTime since) {
    Gate& gate = session.gate;
    gate.report({.time = gate.loop().wall_at(since),
                 .protocol = session.counted_as(),
                 .listener = session.listener->address,
                 .client = session.client,
                 .service = refusal.service,
                 .looked_for = refusal.looked_for,
                 .nearest = refusal.nearest,
                 .target = refusal.target,
                 .tls_client = refusal.tls_client,
                 .tls_target = refusal.tls_target,
                 .verdict = telemetry::Verdict::refused,
                 .reason = refusal.reason,
                 .bytes_in = refusal.bytes_in,
                 .bytes_out = refusal.bytes_out,
                 .duration = gate.loop().now() - since,
                 .method = {},
                 .url = {},
                 .detail = refusal.detail});
}

}  // namespace sallyport::gate
