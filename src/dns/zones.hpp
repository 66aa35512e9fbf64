// What the configuration says about names, made ready for decisions: views, local names, domains, upstreams. Made once
// for a generation and read by all loops.
#pragma once

#include "base/network_map.hpp"
#include "config/config.hpp"
#include "dns/local_names.hpp"
#include "dns/name_table.hpp"
#include "dns/special_names.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sallyport::dns {

struct View {
    std::string name;  // empty: for clients that are in none
    NetworkSet clients;
    std::size_t group = 0;  // of upstreams: its place in Zones::groups()
    config::Place place;
};

/// Name servers that can stand in for one another.
struct UpstreamGroup {
    std::vector<config::DnsUpstream> servers;
    std::string owner;  // whose they are, for explanations: "dns.upstream", "dns.forward corp.example"
    config::Place place;
    bool outside = true;  // not all of them are in private networks
};

/// What an ending of names means.
struct Domain {
    std::vector<std::byte> below;  // `*.` of it: Variants, packed
    struct Forward {
        ViewSet views = 0;
        std::size_t group = 0;
        std::uint32_t rule = 0;
    };
    std::vector<Forward> forwards;
    bool denied = false;
    std::uint32_t denied_by = 0;  // rule
    bool private_allowed = false;  // rebind_allow
    Absent absent = Absent::no;    // unless something above says otherwise
    std::uint32_t absent_by = 0;   // rule
    std::size_t whole_labels = 0;  // of an absent name of addresses: with fewer, something may be below it
};

/// A line of the configuration, for explanations.
struct Rule {
    std::string text;  // "dns.record *.example.com"
    config::Place place;
};

class Zones {
public:
    /// @param seed  of the names' hashes: the same as in the keys that look them up
    Zones(const config::Config& config, std::uint64_t seed);

    std::uint64_t seed() const { return seed_; }
    bool serves(const IpAddress& client) const { return clients_.contains(client); }
    /// The first view that holds the client, or the one for those in none.
    const View& view_of(const IpAddress& client) const;
    std::size_t index_of(const View& view) const { return static_cast<std::size_t>(&view - views_.data()); }
    /// Null: no view has this name.
    const View* find_view(std::string_view name) const;

    const LocalNames& names() const { return names_; }
    const NameTable<Domain>& domains() const { return domains_; }
    const std::vector<UpstreamGroup>& groups() const { return groups_; }
    const std::vector<Rule>& rules() const { return rules_; }
    /// A name that has nothing of any type.
    const LocalName& nothing() const { return nothing_; }
    const config::Dns& settings() const { return settings_; }

private:
    /// Local names and patterns of them, before they are packed.
    struct Drafts {
        NameTable<std::vector<LocalNameParts>> names;
        NameTable<std::vector<LocalNameParts>> below;
    };

    void add_views(const config::Config& config);
    void add_records(const config::Config& config, Drafts& drafts);
    void add_reverse_names(const config::DnsRecord& record, ViewSet views, std::uint32_t rule, Drafts& drafts);
    void add_forwards(const config::Config& config);
    void add_lists();
    void add_special_names(Drafts& drafts);
    void pack_names(Drafts& drafts);
    std::size_t add_group(const std::vector<config::Located<config::DnsUpstream>>& servers, std::string owner,
                          config::Place place);
    std::uint32_t add_rule(std::string text, config::Place place);
    ViewSet set_of(const std::vector<config::Located<std::string>>& views) const;

    std::uint64_t seed_;
    config::Dns settings_;
    NetworkSet clients_;
    std::vector<View> views_;  // the first is for clients that are in none
    std::vector<UpstreamGroup> groups_;  // the first is that of [dns]
    std::vector<Rule> rules_;
    LocalName nothing_{.views = ~ViewSet{0}, .ttl = 300};
    LocalNames names_;
    NameTable<Domain> domains_;
};

}  // namespace sallyport::dns
