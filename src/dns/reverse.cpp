#include "dns/reverse.hpp"

#include "base/bytes.hpp"

#include <span>
#include <string>
#include <string_view>

namespace sallyport::dns {

Name reverse_name(const IpAddress& address) {
    constexpr std::string_view nibbles = "0123456789abcdef";
    Name out;
    const std::span<const std::uint8_t> octets(address.bytes());
    if (address.is_v4()) {
        for (std::size_t i = octets.size(); i-- > octets.size() - 4;) out.append(as_bytes(std::to_string(octets[i])));
    } else {
        for (std::size_t i = octets.size(); i-- > 0;) {
            out.append(as_bytes(nibbles.substr(octets[i] & 0xF, 1)));
            out.append(as_bytes(nibbles.substr(octets[i] >> 4, 1)));
        }
    }
    out.append(as_bytes(std::string_view(address.is_v4() ? "in-addr" : "ip6")));
    out.append(as_bytes(std::string_view("arpa")));
    return out;
}

}  // namespace sallyport::dns
