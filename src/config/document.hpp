// A TOML text as a plain tree with positions. The only door to the TOML library: everything above sees these values.
#pragma once

#include "base/result.hpp"
#include "config/problem.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sallyport::config {

struct Position {
    unsigned line = 0;
    unsigned column = 0;
};

struct Entry;

struct Value {
    /// What no setting is made of: floats, dates, and what is nested deeper than any table of ours.
    struct Other {};
    using List = std::vector<Value>;
    using Table = std::vector<Entry>;  // in the order of the text

    std::variant<Other, bool, std::int64_t, std::string, List, Table> data;
    Position position;

    template <class T>
    const T* get_if() const {
        return std::get_if<T>(&data);
    }

    /// "a string", "a list", ...: for messages.
    std::string_view kind() const;
};

struct Entry {
    std::string key;
    Position position;  // of the key
    Value value;
};

struct SyntaxError {
    Position position;
    Complaint complaint;
};

/// Never throws and never recurses deeper than some thousand levels, whatever the text is.
Result<Value::Table, SyntaxError> parse_toml(std::string_view text);

}  // namespace sallyport::config
