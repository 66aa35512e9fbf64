#include "firewall/foreign.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace sallyport::firewall {

namespace {

constexpr std::size_t rules_shown = 3;

// The firewall's, the guard's, and that of an experiment: what they drop is meant.
bool is_ours(std::string_view table) {
    return table == "inet sallyport" || table == "inet sallyport_bans" || table == "inet sallyport_try";
}

struct Chain {
    std::string table;  // "inet filter"
    std::string name;
    std::string hook = {};  // empty: only other chains lead here
    std::string priority = {};
    bool policy_drop = false;
    std::vector<std::string> rules = {};
};

std::vector<std::string> words_of(std::string_view text) {
    std::istringstream in{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

// "type filter hook input priority filter; policy drop;"
void read_base(std::string_view line, Chain& chain) {
    const auto words = words_of(line);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string value = words[i + 1].substr(0, words[i + 1].find(';'));
        if (words[i] == "hook") chain.hook = value;
        if (words[i] == "priority") chain.priority = value;
        if (words[i] == "policy") chain.policy_drop = value == "drop";
    }
}

std::vector<Chain> read_chains(std::string_view ruleset) {
    std::istringstream lines{std::string(ruleset)};
    std::vector<Chain> chains;
    std::string table;
    bool in_chain = false;
    for (std::string line; std::getline(lines, line);) {
        const auto text = trim(line);
        if (line.starts_with("table ")) {
            const auto words = words_of(text);
            table = words.size() > 2 ? words[1] + ' ' + words[2] : "";
        } else if (text.starts_with("chain ")) {
            chains.push_back({.table = table, .name = words_of(text)[1]});
            in_chain = true;
        } else if (text == "}") {
            in_chain = false;
        } else if (in_chain && text.starts_with("type ")) {
            read_base(text, chains.back());
        } else if (in_chain && !text.empty()) {
            chains.back().rules.emplace_back(text);
        }
    }
    return chains;
}

bool has_word(const std::string& rule, std::initializer_list<std::string_view> wanted) {
    const auto words = words_of(rule.substr(0, rule.find(" comment \"")));
    return std::ranges::any_of(words,
                               [&](const auto& word) { return std::ranges::find(wanted, word) != wanted.end(); });
}

// The rules of a chain and of those that it leads to.
void collect(const std::vector<Chain>& chains, const Chain& chain, std::set<const Chain*>& seen,
             std::vector<std::string>& rules) {
    if (!seen.insert(&chain).second) return;
    for (const auto& rule : chain.rules) {
        rules.push_back(rule);
        const auto words = words_of(rule);
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            if (words[i] != "jump" && words[i] != "goto") continue;
            const auto next = std::ranges::find_if(
                chains, [&](const Chain& one) { return one.table == chain.table && one.name == words[i + 1]; });
            if (next != chains.end()) collect(chains, *next, seen, rules);
        }
    }
}

// The ports that a rule names after "dport"; nothing where it names none.
std::optional<std::vector<PortRange>> ports_of(const std::string& rule) {
    const auto at = rule.find("dport ");
    if (at == std::string::npos) return std::nullopt;
    std::string list = rule.substr(at + 6);
    list = list.starts_with('{') ? list.substr(1, list.find('}') - 1) : list.substr(0, list.find(' '));
    std::ranges::replace(list, ',', ' ');
    std::vector<PortRange> out;
    for (const auto& word : words_of(list)) {
        const auto dash = word.find('-');
        const auto first = parse_number<std::uint16_t>(word.substr(0, dash));
        const auto last = dash == std::string::npos ? first : parse_number<std::uint16_t>(word.substr(dash + 1));
        if (first && last) out.push_back({*first, *last});
    }
    return out;
}

// Does any rule accept this port, or accept without naming ports? The latter may or may not fit: it is believed.
bool accepts(const std::vector<std::string>& rules, PortRange port) {
    return std::ranges::any_of(rules, [&](const std::string& rule) {
        if (!has_word(rule, {"accept"}) || rule.contains("ct state")) return false;
        if (has_word(rule, {"icmp", "icmpv6", "ipv6-icmp", "\"lo\"", "lo"})) return false;
        const auto ports = ports_of(rule);
        if (!ports) return true;
        return std::ranges::any_of(
            *ports, [&](const PortRange& one) { return one.first <= port.first && port.last <= one.last; });
    });
}

std::vector<std::string> stopped_by(const std::vector<std::string>& rules, const Policy& policy, Hook hook) {
    std::vector<std::string> out;
    for (const Rule& rule : policy.rules) {
        if (rule.hook != hook || rule.kind != Kind::flow || rule.action != Action::accept) continue;
        const bool stopped =
            std::ranges::any_of(rule.ports, [&](const PortRange& port) { return !accepts(rules, port); });
        if (stopped) out.push_back(rule.id);
    }
    return out;
}

}  // namespace

std::vector<Obstacle> obstacles(std::string_view ruleset, const Policy& policy) {
    const auto chains = read_chains(ruleset);
    std::vector<Obstacle> out;
    for (const Chain& chain : chains) {
        const bool through = chain.hook == "forward" && policy.routes();
        if (is_ours(chain.table) || chain.hook.empty()) continue;
        if (!through && chain.hook != "input" && chain.hook != "prerouting" && chain.hook != "ingress") continue;
        std::vector<std::string> rules;
        std::set<const Chain*> seen;
        collect(chains, chain, seen, rules);
        Obstacle found{.chain = "chain " + chain.name + " of table " + chain.table + ", priority " + chain.priority,
                       .hook = through ? Hook::forward : Hook::input,
                       .drops_by_policy = chain.policy_drop,
                       .rules = {},
                       .stopped = {}};
        for (const auto& rule : rules) {
            if (has_word(rule, {"drop", "reject"}) && !rule.contains("ct state invalid") &&
                found.rules.size() < rules_shown)
                found.rules.push_back(rule);
        }
        if (chain.policy_drop) found.stopped = stopped_by(rules, policy, found.hook);
        if (!found.rules.empty() || !found.stopped.empty()) out.push_back(std::move(found));
    }
    return out;
}

std::string to_text(const Obstacle& obstacle) {
    std::string out = obstacle.chain + ", is not ours and has its own word: ";
    if (!obstacle.stopped.empty()) {
        out += "its policy drops what it does not accept, and that is";
        for (const auto& id : obstacle.stopped) out += ' ' + id;
        if (!obstacle.rules.empty()) out += "; ";
    }
    for (const auto& rule : obstacle.rules) out += (&rule == &obstacle.rules.front() ? "" : ", ") + ("\"" + rule + '"');
    return out;
}

}  // namespace sallyport::firewall
