// The routes of the control plane: probes, metrics, and the API that the command line speaks (docs/openapi.json).
// What they do is the daemon's: they see it through Control.
#pragma once

#include "admin/http_server.hpp"
#include "admin/message.hpp"
#include "base/address.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace sallyport::admin {

struct Readiness {
    enum class State : std::uint8_t { starting, ready, draining };
    State state = State::starting;
    std::string detail;  // what is still missing, one sentence; empty where ready
};

struct ExplainQuery {
    std::string subject;  // what a user would point at: "https://hq.example.com/PBX0/MY"
    IpAddress client;
    bool tls = false;  // the client's leg, where the subject does not say
};

/// The gateway as its control plane sees it. Called on the control loop.
class Control {
public:
    Control() = default;
    virtual ~Control() = default;
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    virtual Readiness readiness() const = 0;
    /// The page of telemetry::metrics_text.
    virtual std::string metrics() = 0;
    virtual nlohmann::json status() = 0;
    /// Reads the configuration anew. A problem means that nothing changed; its `more` may carry what `check` reports.
    virtual io::Task<Result<nlohmann::json, Problem>> reload() = 0;
    /// Begins to drain; the answer to who asked still goes out.
    virtual void drain() = 0;
    /// The shape of INTERFACE "explain", decided by the running configuration.
    virtual Result<nlohmann::json, Problem> explain(const ExplainQuery& query) = 0;
};

/// Every route there is.
std::span<const Route> routes();

/// What /api/v1/explain may be asked with.
std::span<const std::string_view> explain_parameters();

}  // namespace sallyport::admin
