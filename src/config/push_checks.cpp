#include "config/push_checks.hpp"

#include <algorithm>
#include <string>

namespace sallyport::config {

namespace {

constexpr unsigned fewest_bits = 6;  // 64 addresses: couriers are numbered 0 to 50

bool overlap(const Network& a, const Network& b) { return a.contains(b.address()) || b.contains(a.address()); }

void check_vips(const Push& push, Findings& findings) {
    for (const auto& vip : push.vip) {
        const unsigned host_bits = 128 - vip.value.mapped_bits();
        if (host_bits != 0 && host_bits < fewest_bits)
            findings.error(vip.place, {"vip: " + quote(vip.value.to_string()) + " has no room for couriers 0 to 50",
                                       "64 addresses or more, or one that stands for all"});
        if (push.providers && host_bits != 0 && host_bits < 8)
            findings.error(vip.place, {"vip: " + quote(vip.value.to_string()) + " has no room for senders' servers",
                                       "with providers = true it takes 256 addresses"});
    }
    for (std::size_t i = 0; i < push.vip.size(); ++i) {
        for (std::size_t j = i + 1; j < push.vip.size(); ++j) {
            if (overlap(push.vip[i].value, push.vip[j].value))
                findings.error(push.vip[j].place, {"vip: " + quote(push.vip[j].value.to_string()) + " overlaps " +
                                                   quote(push.vip[i].value.to_string())});
        }
    }
}

// What goes to a courier must not come back as a connection to one.
void check_allowed(const Push& push, Findings& findings) {
    for (const auto& allowed : push.allow_to) {
        if (allowed.value.bits() == 0)
            findings.error(allowed.place, {"allow_to: everywhere would make this an open proxy",
                                           "remove the key: Apple's networks are its default"});
        for (const auto& vip : push.vip) {
            if (overlap(vip.value, allowed.value))
                findings.error(vip.place, {"vip: " + quote(vip.value.to_string()) + " lies in allow_to",
                                           "such addresses are Apple's; take some of your own"});
        }
    }
    if (!push.allow_to.empty()) return;
    for (const auto& vip : push.vip) {
        const auto networks = apple_networks();
        if (std::ranges::any_of(networks, [&](const Network& apple) { return overlap(apple, vip.value); }))
            findings.error(vip.place, {"vip: " + quote(vip.value.to_string()) + " is Apple's",
                                       "take addresses that lead nowhere, such as 10.100.100.0/24"});
    }
}

}  // namespace

void check_push(const Config& config, Findings& findings) {
    const Push& push = config.push;
    if (push.place.file.empty()) return;
    if (!push.serves()) findings.warning(push.place, {"[push] serves nobody", "write vip, or intercept = true"});
    check_vips(push, findings);
    check_allowed(push, findings);
}

}  // namespace sallyport::config
