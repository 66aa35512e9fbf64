#include "firewall/passages.hpp"

#include <array>
#include <cstddef>

namespace sallyport::firewall {

namespace {

constexpr std::array tcp{Transport::tcp};
constexpr std::array udp{Transport::udp};
constexpr std::array both{Transport::tcp, Transport::udp};

// 5223 is what devices dial, 443 what they fall back to, 2197 and the old 2195 and 2196 are for those who send.
constexpr std::array apns_ports{PortRange{443, 443}, PortRange{2195, 2197}, PortRange{5223, 5223}};
constexpr std::array dns_ports{PortRange{53, 53}};
constexpr std::array ntp_ports{PortRange{123, 123}};
constexpr std::array web_ports{PortRange{80, 80}, PortRange{443, 443}};
constexpr std::array quic_ports{PortRange{443, 443}};

constexpr std::array apns{PassageRule{tcp, apns_ports, true, "Apple Push, to all of Apple's networks"}};
constexpr std::array dns{PassageRule{both, dns_ports, false, "names, asked of any server"}};
constexpr std::array ntp{PassageRule{udp, ntp_ports, false, "the time of day"}};
constexpr std::array web{PassageRule{tcp, web_ports, false, "web pages"},
                         PassageRule{udp, quic_ports, false, "web pages by HTTP/3"}};
constexpr std::array anything{PassageRule{{}, {}, false, "everything"}};

constexpr std::array<std::span<const PassageRule>, 5> passages{apns, dns, ntp, web, anything};
static_assert(passages.size() == config::words_of<config::Passage>.size());

}  // namespace

std::span<const PassageRule> rules_of(config::Passage passage) { return passages[static_cast<std::size_t>(passage)]; }

}  // namespace sallyport::firewall
