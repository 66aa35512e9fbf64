#include "cli/turn_shapes.hpp"

#include "cli/shapes.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace sallyport::cli {

using nlohmann::json;

namespace {

struct Metric {
    const char* name;
    const char* help;
    const telemetry::Counter turn::Tally::* counter;
};

constexpr std::array metrics{
    Metric{"sallyport_turn_bindings_total", "Binding requests answered.", &turn::Tally::bindings},
    Metric{"sallyport_turn_challenges_total", "Requests without valid credentials that were answered.",
           &turn::Tally::challenges},
    Metric{"sallyport_turn_muted_total", "Requests not answered: their source asked too often, or is banned.",
           &turn::Tally::muted},
    Metric{"sallyport_turn_malformed_total", "What clients sent and is neither STUN nor channel data.",
           &turn::Tally::malformed},
    Metric{"sallyport_turn_relayed_packets_total", "Packets passed on, from clients and to them.",
           &turn::Tally::relayed},
    Metric{"sallyport_turn_dropped_packets_total",
           "Packets without allocation, channel or permission, or past a limit.", &turn::Tally::dropped},
};

std::string channel_name(std::uint16_t number) {
    std::array<char, 8> text;
    const int size = std::snprintf(text.data(), text.size(), "0x%04x", number);
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string peers_text(const json& session) {
    std::string out;
    for (const auto& peer : session.value("peers", json::array())) {
        if (!out.empty()) out += ' ';
        out += text_of(peer, "address");
        if (peer.value("expires_in_s", 0) <= 0) out += " (over)";
    }
    return out;
}

}  // namespace

std::string_view name_of(turn::Transport transport) {
    constexpr std::array<std::string_view, 4> names{"udp", "tcp", "tls", "dtls"};
    return names[static_cast<std::size_t>(transport)];
}

json to_json(const turn::SessionView& view) {
    json relays = json::array();
    for (const SocketAddress& relay : view.relays) relays.push_back(relay.to_string());
    json peers = json::array();
    for (const auto& peer : view.peers) {
        const bool is_whole = peer.address.port == 0;
        peers.push_back({{"address", is_whole ? peer.address.ip.to_string() : peer.address.to_string()},
                         {"channel", peer.channel != 0 ? json(channel_name(peer.channel)) : json(nullptr)},
                         {"expires_in_s", peer.left}});
    }
    return {{"client", view.client.to_string()},
            {"transport", name_of(view.transport)},
            {"user", view.user},
            {"relay", std::move(relays)},
            {"duration_s", view.lasted},
            {"idle_s", view.idle},
            {"expires_in_s", view.left},
            {"bytes_in", view.bytes_in},
            {"bytes_out", view.bytes_out},
            {"packets_in", view.packets_in},
            {"packets_out", view.packets_out},
            {"dropped", view.dropped},
            {"peers", std::move(peers)},
            {"hint", view.hint}};
}

std::string turn_sessions_text(const json& answer) {
    std::vector<std::vector<std::string>> rows{
        {"CLIENT", "BY", "USER", "RELAY", "FOR S", "IDLE S", "IN", "OUT", "DROPPED", "PEERS"}};
    std::string hints;
    for (const auto& one : answer.value("sessions", json::array())) {
        const auto number = [&](const char* key) { return std::to_string(one.value(key, std::uint64_t{0})); };
        std::string relays;
        for (const auto& relay : one.value("relay", json::array()))
            relays += (relays.empty() ? "" : " ") + relay.get<std::string>();
        rows.push_back({text_of(one, "client"), text_of(one, "transport"), text_of(one, "user"), relays,
                        number("duration_s"), number("idle_s"), number("bytes_in"), number("bytes_out"),
                        number("dropped"), peers_text(one)});
        const std::string hint = text_of(one, "hint");
        if (!hint.empty()) hints += text_of(one, "client") + ": " + hint + '\n';
    }
    return rows.size() == 1 ? "nobody relays\n" : table_text(rows) + hints;
}

std::string turn_metrics(std::span<const turn::Server* const> servers) {
    std::string page;
    for (const Metric& metric : metrics) {
        std::uint64_t sum = 0;
        for (const turn::Server* server : servers) sum += (server->tally().*metric.counter).value();
        const std::string name = metric.name;
        page += "# HELP " + name + ' ' + metric.help + "\n# TYPE " + name + " counter\n" + name + ' ' +
                std::to_string(sum) + '\n';
    }
    return page;
}

}  // namespace sallyport::cli
