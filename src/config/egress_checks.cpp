#include "config/egress_checks.hpp"

#include "base/mac.hpp"
#include "config/first_places.hpp"
#include "config/names.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace sallyport::config {

namespace {

std::size_t addresses_of(const Network& network) {
    constexpr unsigned enough = 20;  // bits
    return std::size_t{1} << std::min(128 - network.mapped_bits(), enough);
}

void check_pool(const Egress& egress, Findings& findings) {
    std::size_t sum = 0;
    for (const auto& network : egress.pool) {
        sum += addresses_of(network.value);
        if (sum <= most_of_pool) continue;
        findings.error(network.place, {"pool: more than " + std::to_string(most_of_pool) + " addresses",
                                       "each is weighed for each user: name fewer, or smaller networks"});
        return;
    }
}

void check_accounting(const Egress& egress, Findings& findings) {
    const bool here = !egress.radius_secret.value.empty();
    const bool in_file = !egress.radius_secret_file.value.empty();
    if (here && in_file)
        findings.error(egress.radius_secret_file.place, {"radius_secret_file: radius_secret stands there too"});
    if (egress.radius && !here && !in_file)
        findings.error(egress.radius->place, {"radius: there is no secret, so nobody could be believed",
                                              "write radius_secret_file, or radius_secret"});
    if (!egress.radius && (here || in_file))
        findings.warning((here ? egress.radius_secret.place : egress.radius_secret_file.place),
                         {"radius_secret: has no effect without radius"});
}

// Who it is for, as it is compared: "mac 02:00:5e:10:00:01". Empty where that can't be told, and it was said.
std::string subject_of(EgressPin& pin, Findings& findings) {
    std::vector<std::string> subjects;
    if (pin.client) subjects.push_back("client " + pin.client->value.to_string());
    if (pin.network) subjects.push_back("network " + pin.network->value.to_string());
    if (!pin.user.value.empty()) subjects.push_back("user " + pin.user.value);
    if (!pin.mac.value.empty()) {
        const auto mac = canonical_mac(pin.mac.value);
        if (!mac)
            findings.error(pin.mac.place, {"mac: " + quote(pin.mac.value) + " is no hardware address",
                                           "such as \"02:00:5e:10:00:01\""});
        pin.mac.value = mac.value_or(pin.mac.value);
        subjects.push_back("mac " + pin.mac.value);
    }
    if (subjects.size() == 1) return subjects.front();
    findings.error(pin.place,
                   {subjects.empty() ? "[[egress.pin]] says nobody's name" : "[[egress.pin]] is for one only",
                    "write one of client, network, mac and user"});
    return {};
}

void check_pins(Config& config, Findings& findings) {
    FirstPlaces seen;
    FirstPlaces given;
    for (EgressPin& pin : config.egress_pins) {
        const std::string subject = subject_of(pin, findings);
        if (subject.empty() || !pin.source) continue;
        const std::string source = pin.source->value.to_string();
        if (const auto* first = seen.before(subject + (pin.source->value.is_v4() ? " 4" : " 6"), pin.place))
            findings.error(pin.place, {"a second source for " + subject, "the first stands at " + where(*first)});
        if (config.egress.mode != EgressMode::exclusive) continue;
        if (const auto* first = given.before(source, pin.source->place))
            findings.error(pin.source->place, {"source: " + quote(source) + " is given twice, and mode is exclusive",
                                               "first at " + where(*first)});
    }
}

}  // namespace

void check_egress(Config& config, Findings& findings) {
    const Egress& egress = config.egress;
    check_pool(egress, findings);
    check_accounting(egress, findings);
    check_pins(config, findings);
    if (!egress.pool.empty() || !config.egress_pins.empty()) return;
    if (!egress.leases.empty())
        findings.warning(egress.leases.front().place, {"leases: has no effect without pool or [[egress.pin]]"});
    if (egress.radius) findings.warning(egress.radius->place, {"radius: has no effect without pool or [[egress.pin]]"});
}

}  // namespace sallyport::config
