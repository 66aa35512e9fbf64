#include "config/dns_checks.hpp"

#include "base/text.hpp"
#include "config/first_places.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::config {

namespace {

void check_no_pattern(const std::vector<Located<DnsName>>& names, std::string_view key, Findings& findings) {
    for (const auto& name : names) {
        if (!name.value.is_pattern()) continue;
        const auto plain = std::string_view(name.value.text).substr(2);
        findings.error(name.place, {std::string(key) + ": " + quote(name.value.text) + " is a pattern",
                                    "write " + quote(plain) + ": what is below it is meant too"});
    }
}

void check_views(const Config& config, Findings& findings) {
    std::map<std::string_view, const Place*> seen;
    for (const DnsView& view : config.dns_views) {
        const auto [first, fresh] = seen.try_emplace(view.name.value, &view.name.place);
        if (!fresh) {
            findings.error(view.name.place, {"name: view " + quote(view.name.value) + " stands twice",
                                             "first at " + where(*first->second)});
        }
    }
    if (config.dns_views.size() > most_dns_views) {
        findings.error(config.dns_views[most_dns_views].place,
                       {"more than " + std::to_string(most_dns_views) + " views"});
    }
}

void check_named_views(const Config& config, const std::vector<Located<std::string>>& views, Findings& findings) {
    std::vector<std::string_view> known;
    for (const DnsView& view : config.dns_views) known.push_back(view.name.value);
    for (const auto& view : views) {
        if (std::ranges::find(known, view.value) != known.end()) continue;
        const std::string_view near = nearest(view.value, known);
        findings.error(view.place, {"view: no [[dns.view]] is named " + quote(view.value),
                                    near.empty() ? "" : "did you mean " + quote(near) + "?"});
    }
}

// Within one view a name is told of once; what one table says for a view stands before what is said for all.
class OnceAView {
public:
    void see(const Located<DnsName>& name, const std::vector<Located<std::string>>& views, std::string_view what,
             Findings& findings) {
        if (views.empty()) return see(name, "", what, findings);
        for (const auto& view : views) see(name, view.value, what, findings);
    }

private:
    void see(const Located<DnsName>& name, std::string_view view, std::string_view what, Findings& findings) {
        const auto [first, fresh] = seen_.try_emplace(std::pair(name.value.text, std::string(view)), name.place);
        if (fresh) return;
        const std::string in = view.empty() ? "" : " for view " + quote(view);
        findings.error(name.place, {std::string(what) + ": " + quote(name.value.text) + " stands twice" + in,
                                    "first at " + where(first->second)});
    }

    std::map<std::pair<std::string, std::string>, Place> seen_;
};

void check_records(const Config& config, Findings& findings) {
    OnceAView names, domains;
    for (const DnsRecord& record : config.dns_records) {
        check_named_views(config, record.views, findings);
        for (const auto& name : record.names) names.see(name, record.views, "name", findings);
    }
    for (const DnsForward& forward : config.dns_forwards) {
        check_named_views(config, forward.views, findings);
        check_no_pattern(forward.domains, "domain", findings);
        for (const auto& domain : forward.domains) domains.see(domain, forward.views, "domain", findings);
    }
}

// By TCP it is as all other listeners (checks.cpp); by UDP there are those of STUN and TURN.
void check_udp_ports(const Config& config, Findings& findings) {
    const auto check = [&](const std::vector<Located<ListenAddress>>& others, std::string_view who) {
        for (const auto& listen : config.dns.listen) {
            const auto taken =
                std::ranges::find_if(others, [&](const auto& other) { return overlap(other.value, listen.value); });
            if (taken == others.end()) continue;
            findings.error(listen.place, {"listen: " + quote(listen.value.to_string()) + " is taken by " +
                                              std::string(who) + ' ' + quote(taken->value.to_string()),
                                          "at " + where(taken->place) + ": a port has one use"});
        }
    };
    check(config.turn.udp, "[turn] udp");
    check(config.turn.dtls, "[turn] dtls");
    check(config.stun.listen, "[stun] listen");
}

void check_use(const Config& config, Findings& findings) {
    if (!config.dns.listen.empty()) return;
    const auto unused = [&findings](const Place& place, const char* header) {
        findings.warning(place, {std::string(header) + ": nobody can ask, for [dns] has no listen"});
    };
    if (!config.dns_views.empty()) unused(config.dns_views.front().place, "[[dns.view]]");
    if (!config.dns_forwards.empty()) unused(config.dns_forwards.front().place, "[[dns.forward]]");
    if (!config.dns_records.empty()) unused(config.dns_records.front().place, "[[dns.record]]");
}

}  // namespace

void check_dns(const Config& config, Findings& findings) {
    check_no_pattern(config.dns.deny, "deny", findings);
    check_no_pattern(config.dns.rebind_allow, "rebind_allow", findings);
    check_views(config, findings);
    check_records(config, findings);
    check_udp_ports(config, findings);
    check_use(config, findings);
}

}  // namespace sallyport::config
