#include "firewall/ports.hpp"

#include "base/text.hpp"
#include "firewall/families.hpp"
#include "telemetry/escape.hpp"

#include <algorithm>
#include <sstream>

namespace sallyport::firewall {

namespace {

bool holds(const std::vector<PortRange>& ports, std::uint16_t port) {
    return std::ranges::any_of(ports, [&](const PortRange& one) { return one.first <= port && port <= one.last; });
}

// Could a packet that this rule accepts reach this socket?
bool leads_to(const Rule& rule, const Listening& one) {
    if (rule.hook != Hook::input || rule.kind != Kind::flow || rule.action != Action::accept) return false;
    const bool transport =
        rule.transports.empty() || std::ranges::find(rule.transports, one.transport) != rule.transports.end();
    if (!transport || (!rule.ports.empty() && !holds(rule.ports, one.address.port))) return false;
    if (rule.to.empty()) return true;
    const bool any_v4 = one.address.ip.is_unspecified() && (!one.is_v6() || !one.v6_only);
    return std::ranges::any_of(rule.to, [&](const Network& network) {
        const bool v4 = network.address().is_v4();
        return network.contains(one.address.ip) || (v4 && any_v4) ||
               (!v4 && one.is_v6() && one.address.ip.is_unspecified());
    });
}

bool serves(const Joined& joined, const Rule& rule) {
    return joined.standing == Standing::allowed && leads_to(rule, joined.listening);
}

// A process may call itself anything.
std::string name_of(const Listening& one) {
    std::string out = std::string(to_string(one.transport)) + ' ' + one.address.to_string();
    if (one.process.empty()) return out;
    out += " (";
    telemetry::append_printable(out, one.process);
    return out + ')';
}

bool is_open_to_all(const Rule& rule) {
    return rule.from.empty() ? rule.zone == Zone::any
                             : std::ranges::any_of(rule.from, [](const Network& one) { return one.bits() == 0; });
}

// "10.0.0.1 . tcp . 25 counter packets 3 bytes 180 …"
std::optional<Wanted> read_wanted(const std::string& element) {
    std::istringstream words(element);
    std::string client;
    std::string dot;
    std::string transport;
    std::string port;
    std::string word;
    if (!(words >> client >> dot >> transport >> dot >> port)) return std::nullopt;
    const auto ip = IpAddress::parse(client);
    const auto number = parse_number<std::uint16_t>(port);
    if (!ip || !number || (transport != "tcp" && transport != "udp")) return std::nullopt;
    Wanted out{*ip, transport == "tcp" ? Transport::tcp : Transport::udp, *number, 0};
    while (words >> word) {
        if (word == "packets" && words >> out.tries) break;
    }
    return out;
}

}  // namespace

std::string unit_of(std::string_view cgroups) {
    constexpr std::array<std::string_view, 3> kinds{".service", ".socket", ".scope"};
    std::istringstream lines{std::string(cgroups)};
    for (std::string line; std::getline(lines, line);) {
        std::string_view rest = line;
        const bool of_systemd = rest.starts_with("0::/") || rest.contains(":name=systemd:/");
        while (of_systemd && rest.contains('/')) {
            const auto name = rest.substr(rest.rfind('/') + 1);
            if (std::ranges::any_of(kinds, [&](auto kind) { return name.ends_with(kind); })) return std::string(name);
            rest.remove_suffix(name.size() + 1);
        }
    }
    return "";
}

std::vector<Wanted> wanted_of(std::string_view listing) {
    std::vector<Wanted> out;
    for (const std::string_view set : {"set wanted4 {", "set wanted6 {"}) {
        const auto begin = listing.find(set);
        if (begin == std::string_view::npos) continue;
        const auto end = listing.find("\n\t}", begin);
        const auto text = listing.substr(begin, end == std::string_view::npos ? end : end - begin);
        const auto elements = text.find("elements = {");
        if (elements == std::string_view::npos) continue;
        std::istringstream list{std::string(text.substr(elements + std::string_view("elements = {").size()))};
        for (std::string element; std::getline(list, element, ',');) {
            if (const auto wanted = read_wanted(element)) out.push_back(*wanted);
        }
    }
    std::ranges::sort(out, std::greater{}, &Wanted::tries);
    return out;
}

std::vector<Joined> join(const std::vector<Listening>& listening, const Policy* policy) {
    std::vector<Joined> out;
    for (const Listening& one : listening) {
        Joined joined{.listening = one};
        if (one.address.ip.is_loopback() || one.device == "lo") {
            joined.standing = Standing::internal;
        } else if (policy != nullptr) {
            const auto rule =
                std::ranges::find_if(policy->rules, [&](const Rule& candidate) { return leads_to(candidate, one); });
            joined.standing = rule == policy->rules.end() ? Standing::denied : Standing::allowed;
            if (rule != policy->rules.end()) joined.rule = &*rule;
        }
        out.push_back(std::move(joined));
    }
    return out;
}

std::vector<std::string> remarks(const std::vector<Joined>& joined, const Policy* policy,
                                 const std::vector<Wanted>& wanted) {
    std::vector<std::string> out;
    for (const Joined& one : joined) {
        if (one.standing == Standing::denied)
            out.push_back(name_of(one.listening) + " listens, and the policy lets nobody in: [[firewall.open]] would");
        if (one.rule != nullptr && one.rule->stage == Stage::admin && is_open_to_all(*one.rule))
            out.push_back(name_of(one.listening) + " is for admins and open to everybody, by " + one.rule->id);
    }
    if (policy != nullptr) {
        for (const Rule& rule : policy->rules) {
            const bool opens = rule.hook == Hook::input && rule.kind == Kind::flow && rule.action == Action::accept;
            if (!opens || std::ranges::any_of(joined, [&](const Joined& one) { return serves(one, rule); })) continue;
            out.push_back(rule.id + " opens " + to_text(rule.transports) + ' ' + to_text(rule.ports) +
                          ", and nobody listens there");
        }
    }
    for (const Wanted& one : wanted) {
        out.push_back(one.client.to_string() + " asked for " + std::string(to_string(one.transport)) + ' ' +
                      std::to_string(one.port) + ", which is closed, " + std::to_string(one.tries) +
                      (one.tries == 1 ? " time" : " times"));
    }
    return out;
}

}  // namespace sallyport::firewall
