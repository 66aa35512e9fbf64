#include "cli/firewall_clients.hpp"

#include "admin/http_client.hpp"
#include "cli/egress_settings.hpp"
#include "cli/egress_shapes.hpp"
#include "egress/lease_file.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

namespace sallyport::cli {

namespace {

using nlohmann::json;

constexpr Duration answers_within = std::chrono::seconds(2);

std::optional<egress::NatMap> told_by_gateway(const config::Config& config) {
    const auto answer = admin::call(config.admin.socket.value.string(), {.target = "/api/v1/egress"}, answers_within);
    if (!answer || answer->status != 200) return std::nullopt;
    const json body = json::parse(answer->body, nullptr, false);
    if (!body.is_object() || !body.contains("nat")) return std::nullopt;
    return nat_of(body["nat"]);
}

egress::NatMap told_by_leases(const config::Config& config) {
    egress::Book book;
    egress::People people;
    book.apply(egress_policy(config));
    const WallTime now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    for (std::size_t i = 0; i < config.egress.leases.size(); ++i)
        people.set_leases(i, egress::read_lease_file(config.egress.leases[i].value, now));
    return egress::nat_map(book, people);
}

}  // namespace

void place_clients(const config::Config& config, firewall::Policy& policy) {
    if (!policy.nat.follows_people) return;
    auto told = told_by_gateway(config);
    if (!told) told = told_by_leases(config);
    policy.nat.unplaced = std::move(told->unplaced);
    auto& pins = policy.nat.pins;
    for (const auto& [client, source] : told->entries) {
        const bool pinned = std::ranges::find(pins, client, &firewall::SourceNat::Pin::client) != pins.end();
        if (client.mapped_bits() == 128)
            policy.nat.clients.push_back({client, source});
        else if (!pinned)
            pins.push_back({client, source});
    }
}

}  // namespace sallyport::cli
