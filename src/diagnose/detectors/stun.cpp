// STUN: requests that nobody answers, and what mapped addresses tell of a NAT. The checks of ICE are ice.cpp's.
#include "diagnose/detectors/all.hpp"

#include "diagnose/glance/stun.hpp"
#include "diagnose/schedule.hpp"
#include "diagnose/wording.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace sallyport::diagnose {

namespace {

constexpr std::size_t max_transactions = 100'000;
constexpr double patience = 2;  // seconds
constexpr std::uint16_t binding = 1;

struct Transaction {
    SocketAddress client{}, server{};
    std::uint8_t time_to_live = 0;
    std::uint16_t method = 0;
    std::vector<Time> times{};
    std::vector<PacketNumber> packets{};
    PacketNumber answer_packet = 0;
    bool answered = false;
    bool check = false;
    std::optional<SocketAddress> mapped{};
};

class Stun : public Detector {
public:
    void see(const Sighting& sighting, Scene& scene) override {
        const auto& packet = sighting.packet;
        if (packet.payload.size() < 20 || std::to_integer<unsigned>(packet.payload[0]) > 3) return;
        const auto message = glance_stun(packet.payload);
        if (!message) return;
        const SocketAddress source{packet.source, packet.source_port};
        const SocketAddress destination{packet.destination, packet.destination_port};
        if (message->kind == StunGlance::Class::request && !ask(sighting, *message, source, destination))
            scene.no_room_for("STUN requests");
        if (message->kind == StunGlance::Class::success || message->kind == StunGlance::Class::error) {
            answer(sighting, *message, destination);
        }
    }

    void conclude(const Scene& scene, Findings& findings) override {
        unanswered(scene, findings);
        mappings(findings);
    }

private:
    using Key = std::pair<SocketAddress, std::array<std::uint8_t, 12>>;

    // False: there is no room for it.
    bool ask(const Sighting& sighting, const StunGlance& message, const SocketAddress& client,
             const SocketAddress& server) {
        const Key key{client, message.transaction};
        if (!transactions_.contains(key) && transactions_.size() >= max_transactions) return false;
        auto& transaction = transactions_[key];
        transaction.client = client;
        transaction.server = server;
        transaction.method = message.method;
        transaction.check = message.is_check;
        transaction.time_to_live = sighting.packet.time_to_live;
        if (transaction.times.size() >= max_evidence) return true;
        transaction.times.push_back(sighting.time);
        transaction.packets.push_back(sighting.number);
        return true;
    }

    void answer(const Sighting& sighting, const StunGlance& message, const SocketAddress& client) {
        const auto found = transactions_.find(Key{client, message.transaction});
        if (found == transactions_.end()) return;
        auto& transaction = found->second;
        transaction.answered = true;
        transaction.answer_packet = sighting.number;
        if (message.mapped) transaction.mapped = message.mapped;
    }

    void unanswered(const Scene& scene, Findings& findings) const {
        std::map<std::pair<IpAddress, SocketAddress>, std::vector<const Transaction*>> silent;
        std::set<std::pair<IpAddress, SocketAddress>> answered;
        for (const auto& [key, transaction] : transactions_) {
            if (transaction.check) continue;
            const auto pair = std::pair(transaction.client.ip, transaction.server);
            if (transaction.answered)
                answered.insert(pair);
            else if (transaction.times.size() > 1 || seconds(transaction.times.front(), scene.last_time) >= patience)
                silent[pair].push_back(&transaction);
        }
        for (const auto& [pair, list] : silent) {
            if (!answered.contains(pair) && !scene.one_sided(pair.first, pair.second.ip))
                findings.push_back(silence(scene, list));
        }
    }

    static Finding silence(const Scene& scene, const std::vector<const Transaction*>& list) {
        const Transaction& first =
            **std::ranges::min_element(list, {}, [](const Transaction* t) { return t->times.front(); });
        Finding finding{.id = "stun-unanswered",
                        .severity = Severity::error,
                        .confidence = Confidence::certain,
                        .client = first.client.ip,
                        .server = first.server.ip,
                        .port = first.server.port,
                        .protocol = "udp"};
        std::size_t requests = 0;
        Time begin = first.times.front(), end = first.times.back();
        for (const Transaction* transaction : list) {
            requests += transaction->times.size();
            for (const auto packet : transaction->packets) finding.add_packet(packet);
            end = std::max(end, transaction->times.back());
        }
        std::ranges::sort(finding.packets);
        finding.lost = {{begin, end}};
        finding.lost_at_least = true;
        finding.schedule = classify(first.times).shape;
        const Place place = scene.place_of(finding.server, first.time_to_live);
        finding.text = "The " + std::string(first.method == binding ? "STUN" : "TURN") + " server " +
                       endpoint_text(finding.server, finding.port) + " does not answer " + finding.client.to_string() +
                       ": " + count_text(requests, "request", "requests") + " at " + times_text(first.times) + ".";
        finding.why = count_text(list.size(), "transaction", "transactions") + " repeated without any response (" +
                      packets_text(finding.packets) + "). UDP to this port is blocked, or the server is down.";
        finding.vantage = silence_vantage(place);
        finding.next = "Try it over TCP or TLS; a server that answers there is up, and UDP is what is blocked.";
        finding.fix = accept_fix(finding.server, finding.port, "udp", place);
        return finding;
    }

    // One local socket and several servers: the mapped address is the same, or it depends on the destination.
    void mappings(Findings& findings) const {
        std::map<SocketAddress, std::vector<const Transaction*>> by_client;
        for (const auto& [key, transaction] : transactions_) {
            if (transaction.mapped && transaction.method == binding && !transaction.check)
                by_client[transaction.client].push_back(&transaction);
        }
        for (auto& [client, list] : by_client) {
            std::ranges::sort(list, {}, [](const Transaction* t) { return t->packets.front(); });
            std::map<SocketAddress, const Transaction*> servers;
            for (const Transaction* transaction : list) servers.emplace(transaction->server, transaction);
            if (servers.size() < 2) continue;
            std::set<SocketAddress> mapped;
            for (const auto& [server, transaction] : servers) mapped.insert(*transaction->mapped);
            findings.push_back(mapping(client, servers, mapped));
        }
    }

    static Finding mapping(const SocketAddress& client, const std::map<SocketAddress, const Transaction*>& servers,
                           const std::set<SocketAddress>& mapped) {
        const auto& first = *servers.begin()->second;
        const bool symmetric = mapped.size() > 1;
        Finding finding{.id = symmetric ? "nat-symmetric" : "nat-mapping",
                        .severity = symmetric ? Severity::warning : Severity::info,
                        .client = client.ip,
                        .server = first.server.ip,
                        .port = first.server.port,
                        .protocol = "udp"};
        std::string all;
        for (const auto& [server, transaction] : servers) {
            finding.add_packet(transaction->packets.front());
            finding.add_packet(transaction->answer_packet);
            all += (all.empty() ? "" : ", ") + server.to_string() + " sees " + transaction->mapped->to_string();
        }
        std::ranges::sort(finding.packets);
        finding.text = symmetric ? "The NAT in front of " + client.to_string() +
                                       " is symmetric: each destination gets another "
                                       "mapped address (" +
                                       all + ")."
                                 : "The NAT in front of " + client.to_string() +
                                       " maps independently of the destination, as far as " +
                                       count_text(servers.size(), "server", "servers") + " can show (" + all + ").";
        finding.why = "The same local socket asked each of them (" + packets_text(finding.packets) + ").";
        finding.vantage = "Which packets from outside the NAT lets in can't be seen from this.";
        if (symmetric) {
            finding.next = "Direct media between two such networks will not work: offer TURN.";
            finding.fix.advice =
                "On the NAT: keep ports where possible (no \"random\", no \"fully-random\"), or let the clients use "
                "TURN.";
        }
        std::string list;
        for (const auto& address : mapped) list += (list.empty() ? "" : ", ") + address.to_string();
        finding.details = {{.key = "mapped", .value = list}};
        return finding;
    }

    std::map<Key, Transaction> transactions_;
};

}  // namespace

std::unique_ptr<Detector> make_stun() { return std::make_unique<Stun>(); }

}  // namespace sallyport::diagnose
