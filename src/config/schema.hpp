// The schema as data: every table and key that the file may hold, once. Loading, checking, "did you mean", the
// reference in docs/configuration.md and the shell's completion all read this list and nothing else.
#pragma once

#include "config/config.hpp"
#include "config/values.hpp"

#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace sallyport::config {

/// Where a table's values go.
using Slot = std::variant<Node*, Log*, Admin*, Certificate*, Trust*, Guard*, Shared*, Listen*, Service*, Firewall*,
                          FirewallOpen*, FirewallForward*, Stun*, Turn*, TurnUser*, Egress*, EgressPin*, Push*, Dns*,
                          DnsView*, DnsForward*, DnsRecord*>;

struct Row {
    std::string_view key;
    std::string_view default_text;  // as it would stand in the file; empty: no default
    std::string_view meaning;       // for the reference: what it does, one sentence or two
    Limits limits;
    std::string_view type;          // "duration", "networks"
    Scale scale;                    // what limits.least and limits.most count
    std::span<const std::string_view> words;  // of an enumeration
    void (*store)(const Reading& in, const Slot& slot);
};

struct Table {
    std::string_view name;     // "firewall.forward" stands within "firewall"
    bool repeated;             // [[name]], one for each thing; else [name], once
    std::string_view intro;    // for the reference
    std::string_view example;  // TOML that loads
    std::span<const Row> rows;
    Slot (*open)(Config& config, const Place& place);

    const Row* find(std::string_view key) const;
    /// The table that `key` is within this one, null where there is none: "forward" in "firewall".
    const Table* inner(std::string_view key) const;
    std::string header() const;  // "[node]", "[[service]]"
};

constexpr unsigned bit(Protocol protocol) { return 1U << static_cast<unsigned>(protocol); }  // for Limits::protocols

/// Every table that this version reads, in the order of the manual.
std::span<const Table> schema();

}  // namespace sallyport::config
