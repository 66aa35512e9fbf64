#include "diagnose/wording.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sallyport::diagnose {

namespace {

std::string formatted(const char* format, double number) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), format, number);
    return text.data();
}

// "20.02", "3", "0.5": two decimals at most, and none that say nothing.
std::string short_number(double number) {
    std::string text = formatted("%.2f", number);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

struct Service {
    std::uint16_t port;
    std::string_view name;
};
constexpr std::array services{
    Service{21, "FTP"},
    Service{22, "SSH"},
    Service{25, "SMTP"},
    Service{53, "DNS"},
    Service{80, "HTTP"},
    Service{88, "Kerberos"},
    Service{110, "POP3"},
    Service{113, "ident"},
    Service{143, "IMAP"},
    Service{389, "LDAP"},
    Service{443, "HTTPS"},
    Service{587, "submission"},
    Service{636, "LDAPS"},
    Service{993, "IMAPS"},
    Service{1300, "H.225 over TLS"},
    Service{1720, "H.225"},
    Service{1935, "RTMP"},
    Service{2195, "APNs"},
    Service{2196, "APNs feedback"},
    Service{2197, "APNs"},
    Service{3478, "STUN and TURN"},
    Service{5060, "SIP"},
    Service{5061, "SIP over TLS"},
    Service{5223, "APNs"},
    Service{5349, "TURN over TLS"},
    Service{6667, "IRC"},
    Service{8080, "HTTP"},
};

}  // namespace

std::string seconds_text(double value) {
    if (value < 0.0995) return formatted("%.0f ms", value * 1000);
    return formatted("%.2f s", value);
}

std::string times_text(std::span<const Time> times) {
    std::string out;
    for (const Time time : times) out += (out.empty() ? "" : ", ") + short_number(seconds(times.front(), time));
    return out + " s";
}

std::string count_text(std::size_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string packets_text(std::span<const PacketNumber> packets) {
    constexpr std::size_t most = 12;
    std::string out = packets.size() == 1 ? "packet " : "packets ";
    for (std::size_t i = 0; i < std::min(packets.size(), most); ++i)
        out += (i == 0 ? "" : ", ") + std::to_string(in_file(packets[i]));
    if (packets.size() > most) out += " and " + std::to_string(packets.size() - most) + " more";
    return out;
}

std::string_view service_of(std::uint16_t port) {
    const auto found = std::ranges::find(services, port, &Service::port);
    return found == services.end() ? std::string_view() : found->name;
}

std::string endpoint_text(const IpAddress& address, std::uint16_t port) {
    std::string out = address.to_string() + " port " + std::to_string(port);
    if (const auto service = service_of(port); !service.empty()) out += " (" + std::string(service) + ")";
    return out;
}

std::string silence_vantage(Place place) {
    switch (place) {
        case Place::server:
            return "Captured at the server: the packets arrived, and nothing was sent back. That a rule drops them, "
                   "and which, "
                   "is in its own firewall.";
        case Place::client:
            return "Captured at the side that calls: it can't be seen whether the packets were dropped on the way, at "
                   "the "
                   "server, or "
                   "whether an answer got lost on the way back.";
        case Place::between:
            return "Captured between the two: what dropped the packets is on the far side of this place, the server or "
                   "something in front of it.";
        case Place::unknown:
            return "Nothing of this server tells where the capture was taken: the packets may have been dropped behind "
                   "this "
                   "place, on the way or at the server.";
    }
    return {};
}

Confidence silence_confidence(Place place) { return place == Place::server ? Confidence::certain : Confidence::likely; }

Fix reject_fix(const IpAddress& server, std::uint16_t port, Place place) {
    const bool v4 = server.is_v4();
    const std::string number = std::to_string(port);
    const std::string tables = v4 ? "iptables" : "ip6tables";
    const std::string with_reset = " -p tcp --dport " + number + " -j REJECT --reject-with tcp-reset";
    if (place == Place::between) {
        return {.nft = "nft insert rule inet filter forward " + std::string(v4 ? "ip" : "ip6") + " daddr " +
                       server.to_string() + " tcp dport " + number + " reject with tcp reset",
                .iptables = tables + " -I FORWARD -d " + server.to_string() + with_reset,
                .advice = "On the gateway that drops it: refuse the port at once by a TCP reset."};
    }
    return {.nft = "nft insert rule inet filter input tcp dport " + number + " reject with tcp reset",
            .iptables = tables + " -I INPUT" + with_reset,
            .advice =
                "On the server, or on the firewall that drops it (then in forward): refuse the port at once by a TCP "
                "reset, or open it where something should answer."};
}

Fix accept_fix(const IpAddress& server, std::uint16_t port, std::string_view protocol, Place place) {
    const bool v4 = server.is_v4();
    const std::string tables = v4 ? "iptables" : "ip6tables";
    const std::string what = std::string(protocol) + " dport " + std::to_string(port) + " accept";
    const std::string match = " -p " + std::string(protocol) + " --dport " + std::to_string(port) + " -j ACCEPT";
    if (place == Place::server) {
        return {.nft = "nft insert rule inet filter input " + what,
                .iptables = tables + " -I INPUT" + match,
                .advice = "On the server: let it in."};
    }
    return {.nft = "nft insert rule inet filter forward " + std::string(v4 ? "ip" : "ip6") + " daddr " +
                   server.to_string() + " " + what,
            .iptables = tables + " -I FORWARD -d " + server.to_string() + match,
            .advice = "On the firewall that drops it: let it through, and the answers back."};
}

}  // namespace sallyport::diagnose
