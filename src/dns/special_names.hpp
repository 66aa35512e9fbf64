// Names that no name server outside is to be asked about: what they mean is the same everywhere, or a matter of this
// network alone (RFC 6761, and the registry that it began).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sallyport::dns {

/// Who may know anything about a name.
enum class Absent : std::uint8_t {
    no,          // anybody: it is no special one
    outside,     // name servers of this network alone
    everywhere,  // nobody
};

struct SpecialName {
    Absent absent = Absent::no;
    std::string_view name;    // it is meant with all below it
    std::string_view source;  // "RFC 6303"
};

/// None of these exists but by a [[dns.record]] or [[dns.forward]] of the configuration.
std::span<const SpecialName> absent_names();

}  // namespace sallyport::dns
