// RESP3, what Redis and Valkey speak: as much of it as their answers to us need. Sans-io; views into what was given.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::resp {

struct Value {
    enum class Kind : std::uint8_t {
        text,    // simple or bulk
        error,   // a simple or bulk error
        number,  // also a boolean
        null,
        list,    // an array, a set, or a map as its keys and values in turn
        push,    // a list that answers nothing: a message of a channel
    };

    Kind kind = Kind::null;
    std::string_view text = {};
    std::int64_t number = 0;
    std::vector<Value> items = {};
};

// What a peer may make us hold.
inline constexpr std::size_t max_text = std::size_t{16} * 1024;  // octets
inline constexpr std::size_t max_items = 8192;                   // of one value, over all depths
inline constexpr unsigned max_depth = 4;

struct Parsed {
    enum class State : std::uint8_t { need_more, complete, malformed };

    State state = State::need_more;
    Value value = {};
    std::size_t length = 0;  // octets that it took
};

/// Reads the value at the front. Nothing is allocated before the octets for it have come.
Parsed parse(Bytes bytes);

/// A command as an array of bulk strings.
std::string write_command(std::span<const std::string_view> words);

}  // namespace sallyport::resp
