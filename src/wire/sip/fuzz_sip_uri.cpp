// Any text at all: the parts of a URI or address lie within it, its host is one and reads back as itself, and a URI
// that is accepted is found again inside an address.
#include "base/fuzzing.hpp"
#include "wire/sip/fields.hpp"
#include "wire/sip/uri.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <arpa/inet.h>

namespace {

using namespace sallyport::sip;
using sallyport::as_bytes;
using sallyport::fuzzing::require;
using sallyport::fuzzing::require_inside;

std::string_view without_brackets(std::string_view host) {
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

// An address has many spellings, and one that hosts are kept in: read by the C library here. IPv4 reads as mapped.
std::array<unsigned char, 16> as_ipv6(std::string_view text) {
    std::array<unsigned char, 16> address{};
    const std::string spelled = (text.contains(':') ? "" : "::ffff:") + std::string(text);
    require(inet_pton(AF_INET6, spelled.c_str(), address.data()) == 1);
    return address;
}

void check(const Uri& uri, std::string_view text) {
    for (const auto part : {uri.scheme_text, uri.user, uri.password, uri.parameters, uri.headers, uri.opaque}) {
        require_inside(part, as_bytes(text));
    }
    const bool sip = uri.scheme == Scheme::sip || uri.scheme == Scheme::sips;
    require(uri.host.empty() != sip);
    if (!sip) return;
    require(Host::parse(uri.host.text()).has_value() && *Host::parse(uri.host.text()) == uri.host);
    // One '@' at most, and the host begins behind it or behind the scheme.
    require(std::ranges::count(uri.opaque, '@') == (uri.user.empty() ? 0 : 1));
    const std::size_t at_sign = uri.opaque.find('@');
    const std::string_view behind = uri.opaque.substr(at_sign == std::string_view::npos ? 0 : at_sign + 1);
    if (behind.starts_with('[')) {
        require(as_ipv6(behind.substr(1, behind.find(']') - 1)) == as_ipv6(without_brackets(uri.host.text())));
        return;
    }
    std::string host(behind.substr(0, uri.host.text().size()));
    std::ranges::transform(host, host.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    require(host == uri.host.text());
}

void check_around(std::string_view text, const Uri& uri) {
    Address address;
    const std::string in_brackets = "\"<sip:x@y>\" <" + std::string(text) + ">;tag=t";
    require(parse_address(in_brackets, address));
    require(address.uri.host == uri.host && address.uri.scheme == uri.scheme && address.tag == "t");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Uri uri;
    if (parse_uri(text, uri)) {
        check(uri, text);
        check_around(text, uri);
    }
    Address address;
    if (parse_address(text, address)) {
        check(address.uri, text);
        for (const auto part : {address.display_name, address.tag, address.parameters})
            require_inside(part, as_bytes(text));
    }
    std::string_view rest = text;
    while (const auto member = next_member(rest)) require_inside(*member, as_bytes(text));
    rest = text;
    while (const auto parameter = next_parameter(rest)) {
        require_inside(parameter->name, as_bytes(text));
        require_inside(parameter->value, as_bytes(text));
    }
    return 0;
}
