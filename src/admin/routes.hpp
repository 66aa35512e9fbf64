// The routes of the control plane: probes, metrics, and the API that the command line speaks (docs/openapi.json).
// What they do is the daemon's: they see it through Control.
#pragma once

#include "admin/http_server.hpp"
#include "admin/message.hpp"
#include "base/address.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
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
    std::string certificate;  // PEM, that the client would show; empty: none
    bool ask = false;  // of a name that is passed on: upstreams are asked, and their answer is told
};

struct ConnectionsQuery {
    std::string service;  // empty: all
    std::size_t limit = 1000;
};

/// Which connections to end: one by its id, or all that are busy with a service.
struct KillQuery {
    std::string id;
    std::string service;
};

/// What an admin wants of a service's targets.
struct StateQuery {
    std::string service;
    std::string protocol;  // empty: every one that has the name
    std::string target;    // empty: all
    std::string state;     // "up", "drain", "maintenance"
};

/// A line for the guard's lists.
struct BanQuery {
    Network who;
    bool allow = false;
    std::string lasts = {};   // "1h", "ever"; empty: as configured
    std::string reason = {};  // for people
};

/// Whose connections go out from which address.
struct PinQuery {
    std::string kind;  // "user", "mac", "client", "network"
    std::string who;
    IpAddress source;  // to be removed: of the family that is meant
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
    virtual io::Task<Result<nlohmann::json, Problem>> explain(ExplainQuery query) = 0;
    /// {"connections":[...],"total":n}: the oldest first.
    virtual io::Task<nlohmann::json> connections(ConnectionsQuery query) = 0;
    /// {"killed":n}; a problem when there was none.
    virtual io::Task<Result<nlohmann::json, Problem>> kill(KillQuery query) = 0;
    /// {"targets":[...]}.
    virtual nlohmann::json services() = 0;
    /// {"changed":n}; a problem when nothing has that name.
    virtual Result<nlohmann::json, Problem> set_state(const StateQuery& query) = 0;
    /// {"bans":[...],"allows":[...],"total":n}.
    virtual nlohmann::json bans() = 0;
    /// {"suspects":[...],"threshold":n}: the worst ten.
    virtual nlohmann::json suspects() = 0;
    /// The entry that was made; a problem when a rule forbids it.
    virtual Result<nlohmann::json, Problem> set_ban(const BanQuery& query) = 0;
    /// {"removed":1}; a problem when there was none.
    virtual Result<nlohmann::json, Problem> remove_ban(const BanQuery& query) = 0;
    /// {"sources":[...],"pins":[...],"pool":[...],...}: who goes out from where.
    virtual nlohmann::json egress() = 0;
    /// Who is behind an address, what they go out from and why; of a source address, who goes out from it.
    virtual Result<nlohmann::json, Problem> whois(const IpAddress& address) = 0;
    /// The pin that was made; a problem where the configuration has one.
    virtual Result<nlohmann::json, Problem> set_pin(const PinQuery& query) = 0;
    /// {"removed":1}; a problem when there was none.
    virtual Result<nlohmann::json, Problem> remove_pin(const PinQuery& query) = 0;
    /// {"devices":[...]}: of those inside, who asked for a courier and who came.
    virtual io::Task<nlohmann::json> push_devices() = 0;
    /// The allocations of TURN that live, as `turn sessions` prints them.
    /// @param limit  how many are listed at most
    virtual io::Task<nlohmann::json> turn_sessions(std::size_t limit) = 0;
};

/// Every route there is.
std::span<const Route> routes();

/// What a route may be asked with: in the query of a GET, in the JSON object of a POST. By its operation's name in
/// docs/openapi.json.
std::span<const std::string_view> parameters_of(std::string_view operation);

}  // namespace sallyport::admin
