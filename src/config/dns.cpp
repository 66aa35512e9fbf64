#include "config/dns.hpp"

#include "base/text.hpp"
#include "config/names.hpp"
#include "wire/dns/name.hpp"

namespace sallyport::config {

namespace {

constexpr std::uint16_t usual_port = 53, usual_tls_port = 853;  // RFC 1035 section 4.2, RFC 7858 section 3.1
constexpr std::string_view tls_prefix = "tls://";

}  // namespace

std::string DnsUpstream::to_string() const {
    const bool usual = address.port == (tls ? usual_tls_port : usual_port);
    const std::string where = usual ? address.ip.to_string() : address.to_string();
    return tls ? std::string(tls_prefix) + where + '#' + name : where;
}

Result<DnsUpstream> parse_dns_upstream(std::string_view text) {
    DnsUpstream out{.address = {}, .tls = text.starts_with(tls_prefix)};
    std::string_view where = text;
    if (out.tls) {
        where.remove_prefix(tls_prefix.size());
        const auto hash = where.find('#');
        if (hash != std::string_view::npos) out.name = to_lower(where.substr(hash + 1));
        if (!is_host_name(out.name) && !IpAddress::parse(out.name))
            return fail("by TLS it needs the name that its certificate bears: \"tls://1.1.1.1#one.one.one.one\"");
        where = where.substr(0, hash);
    }
    const bool bracketed = where.starts_with('[') && where.ends_with(']');
    if (const auto ip = IpAddress::parse(bracketed ? where.substr(1, where.size() - 2) : where)) {
        out.address = {*ip, out.tls ? usual_tls_port : usual_port};
    } else if (const auto address = SocketAddress::parse(where); address && address->port != 0) {
        out.address = *address;
    } else {
        return fail("it is an address, with a port or without: \"9.9.9.9\", \"[2620:fe::fe]:5353\"");
    }
    return out;
}

Result<DnsName> parse_dns_name(std::string_view text) {
    const auto name = dns::Name::parse(text);
    if (!name) return fail("labels of at most 63 characters, 253 in all");
    return DnsName{to_lower(name->to_string())};
}

}  // namespace sallyport::config
