// What is handed to people and programs.
#pragma once

#include "diagnose/finding.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::diagnose {

/// What a client did, for the time line.
struct Attempt {
    IpAddress client, server;
    std::uint16_t port = 0;
    Time from = 0, to = 0;
    bool established = false;
    std::vector<Time> tries{};  // its SYNs
};

struct Report {
    std::vector<std::string> files;  // their names, in the order of reading
    std::uint64_t packets = 0;
    Time first_time = 0, last_time = 0;
    std::vector<Finding> findings;  // the worst first
    std::string tls_secrets;  // that the files hold, as a key log: for other tools, never shown
    std::vector<std::string> notes;  // about the capture, not about the network
    std::vector<Attempt> attempts;  // TCP connections of the clients that have findings, at most max_attempts
    std::size_t flows = 0;

    bool any_above_info() const;
    double seconds_lost() const;  // of the client that lost most
};

inline constexpr std::size_t max_findings = 500;
inline constexpr std::size_t max_attempts = 2000;

/// One line for a client that something is wrong with.
struct Verdict {
    IpAddress client{};
    double seconds_lost = 0;
    bool at_least = false;
    std::string text{};  // of its worst finding, the first sentence
    std::size_t others = 0;  // findings above info besides
};
inline constexpr std::size_t max_verdicts = 100;

/// Who lost most comes first.
std::vector<Verdict> verdicts(const Report& report);

/// One sentence.
std::string conclusion(const Report& report);

/// For a terminal or a mail.
std::string to_text(const Report& report);

/// Where several files were read: the one that its packets are in. Else empty.
std::string file_name(const Report& report, const Finding& finding);

}  // namespace sallyport::diagnose
