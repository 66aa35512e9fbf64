// What other admins get: tables for people, with nothing of any product's language.
#include "firewall/render.hpp"

#include <algorithm>
#include <array>

namespace sallyport::firewall {

namespace {

using Row = std::vector<std::string>;

std::string table(const std::vector<Row>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const Row& row : rows) {
        for (std::size_t i = 0; i + 1 < row.size(); ++i)
            out += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        out += row.back() + '\n';
    }
    return out;
}

std::string list_of(const std::vector<Network>& networks, const std::string& none) {
    std::string out;
    for (const Network& network : networks) {
        const bool one = network.mapped_bits() == 128;
        out += (out.empty() ? "" : ", ") + (one ? network.address().to_string() : network.to_string());
    }
    return out.empty() ? none : out;
}

// The addresses under which the outside knows this node.
std::string this_node(const Policy& policy) {
    std::vector<Network> outside;
    for (const auto& mapping : policy.mappings) {
        if (mapping.outside && std::ranges::find(outside, Network(*mapping.outside, 128)) == outside.end())
            outside.emplace_back(*mapping.outside, 128U);
    }
    return list_of(outside, "this node");
}

// The public addresses of those that the rule names; where none is mapped, they are themselves public.
std::string as_seen_outside(const Policy& policy, const Rule& rule) {
    std::vector<Network> out;
    for (const Network& network : rule.to) {
        const auto mapping = std::ranges::find_if(policy.mappings, [&](const PortMapping& one) {
            return one.outside && one.own && network.contains(*one.own);
        });
        out.push_back(mapping == policy.mappings.end() ? network : Network(*mapping->outside, 128));
    }
    return list_of(out, "");
}

std::string whom(const Policy& policy, const Rule& rule) {
    switch (rule.hook) {
        case Hook::input:
            return rule.to.empty() || rule.to.front().bits() == 0 ? this_node(policy) : as_seen_outside(policy, rule);
        case Hook::forward: return list_of(rule.to, "anywhere");
        case Hook::output: return list_of(rule.to, rule.to_name);
    }
    return "";
}

std::string who(const Policy& policy, const Rule& rule) {
    switch (rule.hook) {
        case Hook::input: return list_of(rule.from, "anyone");
        case Hook::forward: return policy.nat.empty() ? "clients inside" : this_node(policy) + ", for clients inside";
        case Hook::output: return "this node";
    }
    return "";
}

// What another firewall has no say in is left out: the machine's own affairs, admins inside, forwards' last step.
bool concerns_others(const Rule& rule) {
    return rule.kind == Kind::flow && rule.action == Action::accept && rule.stage == Stage::services &&
           !rule.translated;
}

}  // namespace

std::string to_request(const Policy& policy) {
    std::vector<Row> rows{{"FROM", "TO", "PROTOCOL", "PORTS", "WHY"}};
    for (const Rule& rule : policy.rules) {
        if (concerns_others(rule)) {
            rows.push_back(
                {who(policy, rule), whom(policy, rule), to_text(rule.transports), to_text(rule.ports), rule.reason});
        }
    }
    for (const Forward& forward : policy.forwards) {
        rows.push_back({"anyone", this_node(policy), std::string(to_string(forward.transport)),
                        std::to_string(forward.port), forward.reason});
    }
    return "Please let the following pass. Answers belong to it; nothing else does. Refuse what is not listed by TCP "
           "reset:\n"
           "silence costs clients many seconds for each try.\n\n" +
           table(rows);
}

std::string to_portmap(const Policy& policy) {
    std::vector<Row> rows{{"PROTOCOL", "PUBLIC ADDRESS", "PORT", "TO", "TO PORT", "WHY"}};
    for (const PortMapping& mapping : policy.mappings) {
        rows.push_back({std::string(to_string(mapping.transport)),
                        mapping.outside ? mapping.outside->to_string() : "the router's", to_text(mapping.ports),
                        mapping.own ? mapping.own->to_string() : "this node", to_text(mapping.ports), mapping.reason});
    }
    return table(rows);
}

}  // namespace sallyport::firewall
