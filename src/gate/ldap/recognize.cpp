// The first bytes of LDAP among those of others: a SEQUENCE of definite length whose first element is an INTEGER
// (RFC 4511 section 4.1.1).
#include "gate/ldap/ldap_dialect.hpp"
#include "wire/ldap/tags.hpp"

namespace sallyport::gate::ldap {

Recognized recognize(Bytes first) {
    constexpr std::byte long_form{0x80};
    constexpr std::size_t most_length_octets = 4;
    if (first.empty()) return Recognized::maybe;
    if (first[0] != std::byte{0x30}) return Recognized::no;
    if (first.size() < 2) return Recognized::maybe;
    std::size_t at = 2;
    if ((first[1] & long_form) != std::byte{0}) {
        const auto octets = std::to_integer<std::size_t>(first[1] & ~long_form);
        if (octets == 0 || octets > most_length_octets) return Recognized::no;
        at += octets;
    }
    if (first.size() <= at) return Recognized::maybe;
    return first[at] == std::byte{0x02} ? Recognized::yes : Recognized::no;
}

}  // namespace sallyport::gate::ldap
