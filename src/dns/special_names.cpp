#include "dns/special_names.hpp"

#include <array>

namespace sallyport::dns {

namespace {

using enum Absent;

// "test" is none of them here, though RFC 6761 counts it in: who writes it in a laboratory means a name server of his
// own.
constexpr std::array names{
    SpecialName{everywhere, "invalid", "RFC 6761"},
    SpecialName{outside, "local", "RFC 6762"},  // of multicast DNS
    SpecialName{everywhere, "onion", "RFC 7686"},
    SpecialName{everywhere, "alt", "RFC 9476"},
    SpecialName{outside, "home.arpa", "RFC 8375"},
    // Where clients would find the upstream's own encrypted service, and leave us for it.
    SpecialName{everywhere, "resolver.arpa", "RFC 9462"},
    // Addresses that are private, or nobody's: who has one outside is not to be told that we asked.
    SpecialName{outside, "10.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "16.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "17.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "18.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "19.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "20.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "21.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "22.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "23.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "24.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "25.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "26.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "27.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "28.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "29.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "30.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "31.172.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "168.192.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "0.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "127.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "254.169.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "2.0.192.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "100.51.198.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "113.0.203.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "255.255.255.255.in-addr.arpa", "RFC 6303"},
    SpecialName{outside, "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "c.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "d.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "8.e.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "9.e.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "a.e.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "b.e.f.ip6.arpa", "RFC 6303"},
    SpecialName{outside, "8.b.d.0.1.0.0.2.ip6.arpa", "RFC 6303"},
};

}  // namespace

std::span<const SpecialName> absent_names() { return names; }

}  // namespace sallyport::dns
