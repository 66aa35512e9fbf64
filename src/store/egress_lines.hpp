// The egress book on disk, line by line, and who is behind which address by RADIUS accounting: texts and times, whose
// meaning is the egress room's.
#pragma once

#include "base/result.hpp"
#include "store/database.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport::store {

struct EgressLine {
    std::string who;      // an identity, or a pin's subject; with the next two the key
    bool pin = false;
    bool v6 = false;
    std::string source = {};
    std::int64_t since_ms = 0;  // Unix time
    std::int64_t seen_ms = 0;

    bool operator==(const EgressLine&) const = default;
};

struct StayLine {
    std::string address;  // the key
    std::string user = {};
    std::string mac = {};
    std::string session = {};
    std::string server = {};
    std::int64_t heard_ms = 0;

    bool operator==(const StayLine&) const = default;
};

/// A line to be written, or the key of one to be erased.
template <class Line>
struct LineEdit {
    Line line;
    bool erase = false;
};

class EgressLines {
public:
    /// @param database  outlives this
    explicit EgressLines(Database& database) : database_(database) {}

    Result<std::vector<EgressLine>> lines();
    Result<std::vector<StayLine>> stays();
    /// All or nothing. The error is of the disk: full, read-only, broken.
    Result<void> apply(std::span<const LineEdit<EgressLine>> lines, std::span<const LineEdit<StayLine>> stays);

private:
    Database& database_;
};

}  // namespace sallyport::store
