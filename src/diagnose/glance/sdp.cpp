#include "diagnose/glance/sdp.hpp"

#include "base/network_map.hpp"
#include "base/text.hpp"

#include <array>
#include <optional>

namespace sallyport::diagnose {

namespace {

std::string_view next_line(std::string_view& text) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view word(std::string_view text, std::size_t number) {
    for (; number > 0; --number) {
        const auto blank = text.find(' ');
        if (blank == std::string_view::npos) return {};
        text.remove_prefix(blank + 1);
    }
    return text.substr(0, text.find(' '));
}

}  // namespace

std::vector<SocketAddress> media_of(std::string_view sdp) {
    std::vector<SocketAddress> out;
    std::optional<IpAddress> of_session;
    bool in_media = false;
    while (!sdp.empty() && out.size() < max_media) {
        const auto line = next_line(sdp);
        if (line.starts_with("m=")) {
            in_media = true;
            const auto port = word(line, 1);
            const auto number = parse_number<std::uint16_t>(port.substr(0, port.find('/')));
            if (number) out.push_back({of_session.value_or(IpAddress()), *number});
        }
        if (!line.starts_with("c=IN IP")) continue;
        const auto address = word(line, 2);
        const auto ip = IpAddress::parse(address.substr(0, address.find('/')));
        if (!ip) continue;
        if (!in_media)
            of_session = ip;
        else if (!out.empty())
            out.back().ip = *ip;
    }
    std::erase_if(out, [](const SocketAddress& media) { return media.port == 0 || media.ip.is_unspecified(); });
    return out;
}

std::vector<SocketAddress> candidates_of(std::string_view sdp) {
    std::vector<SocketAddress> out;
    while (!sdp.empty() && out.size() < max_candidates) {
        const auto line = next_line(sdp);
        const auto transport = word(line, 2);
        if (!line.starts_with("a=candidate:") || (transport != "udp" && transport != "UDP")) continue;
        const auto ip = IpAddress::parse(word(line, 4));
        const auto port = parse_number<std::uint16_t>(word(line, 5));
        if (ip && port && *port != 0) out.push_back({*ip, *port});
    }
    return out;
}

bool is_private(const IpAddress& address) {
    static const NetworkSet networks = [] {
        constexpr std::array<std::string_view, 10> texts{
            "10.0.0.0/8",  "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16",
            "127.0.0.0/8", "fc00::/7",      "fe80::/10",      "::1/128",       "fec0::/10"};
        NetworkSet out;
        for (const auto text : texts) out.add(*Network::parse(text));
        return out;
    }();
    return networks.contains(address);
}

}  // namespace sallyport::diagnose
