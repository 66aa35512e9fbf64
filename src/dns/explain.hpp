// "What would this client be told, and why?": the live decision, asked without traffic.
#pragma once

#include "base/result.hpp"
#include "dns/decide.hpp"
#include "telemetry/reason.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::dns {

struct Explanation {
    telemetry::Reason reason = telemetry::Reason::ok;
    std::string looked_for;  // the name as it was compared, and the type
    std::string view;        // empty: the client is in none
    std::string answer;      // "NOERROR A 172.16.0.10", "NXDOMAIN"; of what is passed on: "what 9.9.9.9 answers"
    bool passed_on = false;  // to upstreams
    Trail trail;

    bool answered() const { return reason == telemetry::Reason::ok; }
};

/// "hq.example.com?AAAA" apart.
struct NameAndType {
    Name name;
    std::uint16_t type = type::a;
};
/// The error says what is wrong with it.
Result<NameAndType> read_subject(std::string_view subject);

/// Code and records of an answer, for people: "NOERROR CNAME hq.example.net A 172.16.0.10".
std::string answer_text(Bytes answer);

/// @param subject  "hq.example.com", or with a type, "hq.example.com?AAAA"; without one it is A
/// @return the error says what is wrong with the subject
Result<Explanation> explain(const Zones& zones, std::string_view subject, const IpAddress& client, Claims* claims);

}  // namespace sallyport::dns
