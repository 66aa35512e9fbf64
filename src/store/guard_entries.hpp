// The guard's lists on disk, row by row, as texts and wall times: what they mean is the guard's.
#pragma once

#include "base/result.hpp"
#include "store/database.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sallyport::store {

struct GuardRow {
    std::string who;      // "192.0.2.7/32"; the key
    std::string verdict;
    std::string origin;
    std::int64_t since_ms = 0;  // Unix time
    std::optional<std::int64_t> expires_ms = {};  // nothing: never
    std::string reason = {};
    std::string protocol = {};  // empty: none
    std::int64_t count = 0;
    std::string node = {};

    bool operator==(const GuardRow&) const = default;
};

/// A row to be written, or the key of one to be erased.
struct GuardEdit {
    GuardRow row;
    bool erase = false;
};

class GuardEntries {
public:
    /// @param database  outlives this
    explicit GuardEntries(Database& database) : database_(database) {}

    Result<std::vector<GuardRow>> load();
    /// All or nothing. The error is of the disk: full, read-only, broken.
    Result<void> apply(std::span<const GuardEdit> edits);

private:
    Database& database_;
};

}  // namespace sallyport::store
