#include "gate/sip/own_route.hpp"

#include "wire/sip/route.hpp"
#include "wire/sip/uri.hpp"

#include <algorithm>
#include <vector>

namespace sallyport::gate::sip {

using namespace sallyport::sip;

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::uint16_t plain_port = 5060;  // RFC 3261 section 19.1.2
constexpr std::uint16_t tls_port = 5061;
constexpr std::string_view dialog_methods[] = {"INVITE", "SUBSCRIBE", "REFER"};

std::string host_text(const IpAddress& address) {
    return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

bool leads_to(const Uri& uri, const Hop& hop) {
    return uri.host.text() == host_text(hop.address.ip) &&
           uri.port.value_or(hop.tls ? tls_port : plain_port) == hop.address.port;
}

std::string_view first_entry(const Message& request) {
    const Field* route = find(request.fields, FieldKind::route);
    if (route == nullptr) return {};
    std::string_view list = route->value;
    return next_member(list).value_or(std::string_view());
}

}  // namespace

std::string Hop::uri(std::string_view user) const {
    return "<sip:" + std::string(user) + (user.empty() ? "" : "@") + host_text(address.ip) + ":" +
           std::to_string(address.port) + ";transport=" + (tls ? "tls" : "tcp") + ";lr>";
}

Hop outer_hop(const SocketAddress& own, bool tls, std::span<const config::Located<config::NatMapping>> nat_map) {
    const auto at = std::ranges::find_if(nat_map, [&](const auto& one) { return one.value.own == own.ip; });
    return {.address = {at == nat_map.end() ? own.ip : at->value.outside, own.port}, .tls = tls};
}

std::optional<Host> domain_in_route(const Message& request, const Hop& outer) {
    Address entry;
    if (!is_within_dialog(request) || !parse_address(first_entry(request), entry) || !leads_to(entry.uri, outer))
        return std::nullopt;
    return Host::parse(entry.uri.user);
}

OwnRoute::OwnRoute(Hop outer, Hop inner, std::string_view domain)
    : outer_(outer),
      inner_(inner),
      outer_uri_(outer_.uri(domain.starts_with('[') ? std::string_view() : domain)),
      inner_uri_(inner_.uri()) {}

bool OwnRoute::is_ours(std::string_view entry) const {
    Address address;
    return parse_address(entry, address) && (leads_to(address.uri, outer_) || leads_to(address.uri, inner_));
}

// Ours at the front of the route: they have served their purpose (RFC 3261 section 16.4).
std::vector<OwnRoute::Cut> OwnRoute::own_entries(const Message& request, std::string_view head) const {
    const auto at = [&head](const char* position) { return static_cast<std::size_t>(position - head.data()); };
    std::vector<Cut> cuts;
    for (const Field& field : request.fields) {
        if (field.kind != FieldKind::route) continue;
        std::string_view list = field.value;
        auto entry = next_member(list);
        if (!entry || !is_ours(*entry)) break;
        while (entry && is_ours(*entry)) entry = next_member(list);
        if (entry) {
            cuts.push_back({at(field.value.data()), at(entry->data())});
            break;
        }
        const std::size_t end = head.find(line_end, at(field.value.data() + field.value.size()));
        cuts.push_back({at(field.name.data()), end + line_end.size()});
    }
    return cuts;
}

std::string OwnRoute::rewrite(const Message& request, Bytes head, Towards towards) const {
    const std::string_view text = as_text(head);
    const std::vector<Cut> cuts = own_entries(request, text);
    const std::size_t start = text.find(line_end) + line_end.size();
    std::string out(text.substr(0, start));
    if (std::ranges::find(dialog_methods, request.method) != std::end(dialog_methods)) {
        const bool inward = towards == Towards::target;
        out += "Record-Route: " + (inward ? inner_uri_ : outer_uri_) + "\r\n";
        out += "Record-Route: " + (inward ? outer_uri_ : inner_uri_) + "\r\n";
    }
    if (request.method == "REGISTER" && towards == Towards::target) out += "Path: " + inner_uri_ + "\r\n";
    std::size_t from = start;
    for (const Cut& cut : cuts) {
        out += text.substr(from, cut.begin - from);
        from = cut.end;
    }
    return out.append(text.substr(from));
}

}  // namespace sallyport::gate::sip
