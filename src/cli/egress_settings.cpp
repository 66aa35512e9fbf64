#include "cli/egress_settings.hpp"

namespace sallyport::cli {

namespace {

std::vector<egress::Pin> pins_of(const std::vector<config::EgressPin>& pins) {
    std::vector<egress::Pin> out;
    const auto add = [&out](const config::EgressPin& pin, egress::PinKind kind, const std::string& who) {
        if (auto made = egress::Pin::make(kind, who, pin.source->value)) out.push_back(std::move(*made));
    };
    for (const config::EgressPin& pin : pins) {
        if (pin.client) add(pin, egress::PinKind::client, pin.client->value.to_string());
        if (pin.network) add(pin, egress::PinKind::network, pin.network->value.to_string());
        if (!pin.user.value.empty()) add(pin, egress::PinKind::user, pin.user.value);
        if (!pin.mac.value.empty()) add(pin, egress::PinKind::mac, pin.mac.value);
    }
    return out;
}

}  // namespace

egress::Book::Policy egress_policy(const config::Config& config) {
    std::vector<Network> pool;
    for (const auto& network : config.egress.pool) pool.push_back(network.value);
    return {.pool = egress::Pool(pool, config.egress.seed.value),
            .exclusive = config.egress.mode == config::EgressMode::exclusive,
            .pins = pins_of(config.egress_pins),
            .remember_for = config.egress.remember_for};
}

}  // namespace sallyport::cli
