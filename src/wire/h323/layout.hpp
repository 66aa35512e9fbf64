// Types of H.225.0 as data, and the walk over their encodings.
//
// The tables in h225_types.cpp and h225_messages.cpp follow the notation of H.225.0 line by line; what reads messages
// only says at which fields it wants to stop. No value is kept here: a marked field is a place in the encoding, to be
// read by who knows its type.
#pragma once

#include "base/bytes.hpp"
#include "wire/per/reader.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace sallyport::h323 {

/// Fields whose place is wanted, over all the messages.
enum class Mark : std::uint8_t {
    none,
    uu_pdu,
    body,
    request_seq_num,
    gatekeeper_identifier,
    aliases,  // of who registers: terminalAlias, endpointAlias
    reject_reason,
    alternates,  // altGKInfo
    assigned_gatekeeper,
    destination,  // destinationAddress of a Setup
    reason,  // of a ReleaseComplete
    generic_data,
    id,
    parameters,
    content,
    ras_address,
    need_to_register,
};
inline constexpr std::size_t marks = std::to_underlying(Mark::need_to_register) + 1;

enum class Kind : std::uint8_t {
    null,
    boolean,
    integer,
    octet_string,
    object_identifier,
    ia5_string,
    digits,  // IA5String FROM "#*,0123456789": four bits each
    bmp_string,
    sequence,
    sequence_of,
    choice,
};

struct Type;

struct Field {
    std::string_view name;
    const Type* type;  // null: not described here; nothing behind it in the root can be read
    bool optional = false;
    Mark mark = Mark::none;
};

struct Type {
    Kind kind = Kind::null;
    bool extensible = false;  // the notation ends in "..."
    std::uint32_t low = 0;  // of a number, or of the size of a string or list
    std::uint32_t high = 0;  // likewise; 0 for a size without bounds
    std::span<const Field> fields = {};  // of a sequence; alternatives of a choice
    std::span<const Field> additions = {};  // behind the "...": as far as one is wanted
    const Type* element = nullptr;  // of a list
};

inline constexpr std::size_t max_elements = 256;  // of any list
inline constexpr unsigned max_depth = 24;  // types in one another: four of genericData's compound, with what is in them

/// Where the marked fields of a sequence begin.
class Places {
public:
    /// A reader of the field; null where it is not there, or could not be reached.
    const per::Reader* at(Mark mark) const {
        const auto& place = at_[std::to_underlying(mark)];
        return place ? &*place : nullptr;
    }
    void note(Mark mark, const per::Reader& place) {
        if (mark != Mark::none) at_[std::to_underlying(mark)] = place;
    }

private:
    std::array<std::optional<per::Reader>, marks> at_;
};

/// Walks over a value.
void skip(per::Reader& in, const Type& type, unsigned depth = 0);

/// Walks over a SEQUENCE as far as it is described, and notes its marked fields.
/// @return the name of the field that could not be read, where `in` has failed.
std::string_view read_sequence(per::Reader& in, const Type& sequence, Places& places);

/// Which alternative of a CHOICE it is: additions count on behind the alternatives of the root.
struct Chosen {
    std::size_t index = 0;
    const Field* field = nullptr;  // null: an addition that is not described here
    per::Reader
        inside;  // of an addition, whose value is an open type; one of the root stands in the choice's own reader
    bool addition = false;
};
Chosen read_choice(per::Reader& in, const Type& choice);

}  // namespace sallyport::h323
