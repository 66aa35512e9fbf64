// The subjects of `explain` that are not the gate's, told apart by how they begin: all kinds that there are stand
// together here, and nowhere below.
#pragma once

#include "base/result.hpp"
#include "gate/explain.hpp"

#include <string_view>

namespace sallyport::cli {

struct SubjectKind {
    std::string_view scheme;  // with its colon
    std::string_view example;

    bool holds(std::string_view subject) const { return subject.starts_with(scheme); }
    /// What stands behind the scheme. @param subject  of this kind
    std::string_view rest_of(std::string_view subject) const { return subject.substr(scheme.size()); }
};

inline constexpr SubjectKind dns_subject{"dns:", "dns:printer.example.com?AAAA"};
inline constexpr SubjectKind turn_subject{"turn:", "turn:alice?peer=198.51.100.7"};
inline constexpr SubjectKind packet_subject{"fw:", "fw:tcp:203.0.113.5->198.51.100.1:443"};

/// The gate's answer to a subject of no kind above. The error names the forms of all.
Result<gate::Explanation> explain_by_gate(const gate::Snapshot& snapshot, const gate::Question& question);

}  // namespace sallyport::cli
