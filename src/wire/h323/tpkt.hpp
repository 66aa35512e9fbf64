// TPKT (RFC 1006 section 6): what frames the messages of H.225.0 on a TCP connection.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::h323 {

inline constexpr std::size_t tpkt_header = 4;  // octets: version 3, one that is reserved, the length of all
inline constexpr std::size_t max_tpkt = 65535;  // octets, its header included

struct Tpkt {
    std::size_t length = 0;  // octets, the header included
    /// Nothing but a header, or the "00 03 00 04" of some endpoints.
    bool keep_alive() const { return length == tpkt_header; }
};

enum class TpktError : std::uint8_t {
    not_tpkt,  // another first octet than a TPKT has
    bad_length,  // less than the header
};
std::string_view text(TpktError error);

/// The header at the front; nothing while it is not whole. What the reserved octet holds does not matter: some
/// gateways write there.
Result<std::optional<Tpkt>, TpktError> read_tpkt(Bytes bytes);

}  // namespace sallyport::h323
