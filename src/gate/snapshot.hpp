// The configuration as the gate decides by it: compiled once, immutable, shared by all loops.
#pragma once

#include "base/address.hpp"
#include "base/network_map.hpp"
#include "config/config.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sallyport::gate {

/// A rule's text and where it stands, for the trail of an explanation.
struct Rule {
    std::string text;
    config::Place place;
};

class TargetState;
struct ServiceState;
class StateBook;

struct Service {
    std::string name;  // its first name: what records and metrics call it
    std::size_t index = 0;
    const config::Service* settings = nullptr;  // in the snapshot's configuration
    NetworkMap<std::size_t> allow_from;         // to the entry of settings->allow_from; empty: anyone
    std::vector<std::string> url_rules;         // allow_url, then the rules of each preset; empty: every URL
    std::vector<Rule> url_origins;              // of the same indices
    std::shared_ptr<ServiceState> state;
    std::vector<std::shared_ptr<TargetState>> targets;  // of the same indices as settings->targets

    /// "service.hq.example.com.http": how explanations call it.
    std::string label() const;
    /// Is this one of its names, as the configuration writes them? What was routed to it before a reload is called by
    /// the name that stood first then.
    bool is_named(std::string_view one) const;
};

class Snapshot {
public:
    /// @param book  where the states of targets are found again; only used in here
    Snapshot(config::Config config, StateBook& book);

    const config::Config& config() const { return config_; }
    const std::deque<Service>& services() const { return services_; }
    const NetworkSet& trusted_proxies() const { return trusted_proxies_; }
    /// Where https is served, for redirects.
    std::uint16_t https_port() const;
    const NetworkSet& proxy_from() const { return proxy_from_; }

    /// The service of this protocol by its exact name, else by the longest wildcard that holds it; null when there is
    /// none.
    /// @param name lower-cased, without a trailing dot.
    const Service* find(config::Protocol protocol, std::string_view name) const;
    /// The one that a name chooses: by itself, else the one marked `default`; null when there is neither.
    const Service* choose(config::Protocol protocol, std::string_view name) const {
        const Service* found = find(protocol, name);
        return found == nullptr ? default_of(protocol) : found;
    }
    /// Is there any service of this protocol?
    bool serves(config::Protocol protocol) const {
        return !names_of(protocol).exact.empty() || !names_of(protocol).wildcards.empty();
    }
    /// The one marked `default`; null when there is none.
    const Service* default_of(config::Protocol protocol) const;
    /// Is a client that asks for this name by https to be asked for its certificate? Without a name: does any service
    /// want one?
    bool asks_for_certificate(std::string_view server_name) const;
    /// Does any service of this protocol hold certificates against the names that clients register?
    bool checks_certificates(config::Protocol protocol) const { return names_of(protocol).checks_certificates; }
    /// The configured name that an unknown one most likely meant; empty when none is near.
    std::string_view nearest_name(config::Protocol protocol, std::string_view name) const;

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    using ByName = std::unordered_map<std::string, const Service*, TextHash, std::equal_to<>>;
    struct Names {
        ByName exact;
        ByName wildcards;  // ".example.com" for "*.example.com"
        const Service* fallback = nullptr;
        bool checks_certificates = false;
    };

    void add(const config::Service& settings, StateBook& book);
    const Names& names_of(config::Protocol protocol) const { return names_[static_cast<std::size_t>(protocol)]; }

    config::Config config_;
    std::deque<Service> services_;  // addresses are kept: the names point to them
    std::array<Names, config::words_of<config::Protocol>.size()> names_;
    NetworkSet trusted_proxies_;
    NetworkSet proxy_from_;
    bool any_certificate_wanted_ = false;
};

}  // namespace sallyport::gate
