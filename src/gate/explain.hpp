// "Who would take this, and why?": the live decision, asked without traffic.
#pragma once

#include "base/result.hpp"
#include "gate/router.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sallyport::gate {

struct Question {
    std::string subject;  // as a user points at it: "https://hq.example.com/PBX0/ADMIN"
    IpAddress client;
    bool tls = false;  // how the client comes, where the subject does not say
    crypto::Verdict certificate = crypto::Verdict::none;  // of the one that the client would show
    std::vector<std::string> certificate_names = {};      // whom it is for
};

struct Explanation {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string protocol;
    std::string looked_for;  // the name as it was compared
    std::string detail;      // of a malformed subject: what the parser said
    std::string service;     // empty: none was found
    std::string target;      // the first one; empty: refused
    std::string leg;         // "plain" or "tls" towards the target; empty: refused, or a builtin
    std::string nearest;     // to an unknown name
    Trail trail;

    bool admitted() const { return reason == telemetry::Reason::ok; }
};

/// For dialects: decides `ask` and fills in what came of it.
void conclude(const Snapshot& snapshot, const Question& question, const Ask& ask, Explanation& explanation);

/// Decides as live traffic is decided. The error ends in the forms that a subject of the gate's can have.
Result<Explanation> explain(const Snapshot& snapshot, const Question& question);

}  // namespace sallyport::gate
