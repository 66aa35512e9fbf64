#include "dns/zones.hpp"

#include "config/dns_clients.hpp"
#include "dns/examine.hpp"
#include "dns/reverse.hpp"
#include "wire/dns/message.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>

namespace sallyport::dns {

namespace {

constexpr std::uint16_t the_question = 0xC000 | header_size;

std::uint32_t in_seconds(Duration ttl) {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(ttl).count());
}

NameKey key_of(std::string_view text, std::uint64_t seed) {
    const Name name = Name::parse(text).value_or(Name{});  // the configuration's check has read it
    return {name.wire(), seed};
}

void append(LocalNameParts::Set& set, std::uint32_t ttl, Bytes rdata) {
    std::array<std::byte, 12 + max_name> room;
    ByteWriter out(room);
    out.u16(the_question);
    out.u16(set.type);
    out.u16(class_in);
    out.u32(ttl);
    out.u16(static_cast<std::uint16_t>(rdata.size()));
    out.bytes(rdata);
    const Bytes record = out.written();
    // The same record twice is one (RFC 2181 section 5).
    for (auto at = set.records.begin(); at != set.records.end(); at += static_cast<std::ptrdiff_t>(record.size())) {
        if (static_cast<std::size_t>(set.records.end() - at) < record.size()) break;
        if (std::equal(record.begin(), record.end(), at)) return;
    }
    set.records.insert(set.records.end(), record.begin(), record.end());
    ++set.count;
}

LocalNameParts::Set& set_of_type(LocalNameParts& name, std::uint16_t type) {
    auto found = std::ranges::find(name.sets, type, &LocalNameParts::Set::type);
    if (found == name.sets.end()) found = name.sets.insert(name.sets.end(), {type, 0, {}});
    return *found;
}

void append_address(LocalNameParts& name, const IpAddress& address) {
    const auto octets = std::as_bytes(std::span(address.bytes()));
    if (address.is_v4())
        append(set_of_type(name, type::a), name.ttl, octets.last(4));
    else
        append(set_of_type(name, type::aaaa), name.ttl, octets);
}

// Records for named views stand in the place of those for every view. The configuration's check sees to it that no
// view is told twice of one name.
void add_local(std::vector<LocalNameParts>& variants, bool every_view, LocalNameParts name) {
    variants.insert(every_view ? variants.end() : variants.begin(), std::move(name));
}

}  // namespace

Zones::Zones(const config::Config& config, std::uint64_t seed) : seed_(seed), settings_(config.dns) {
    clients_ = NetworkSet(config::dns_clients(settings_));
    add_views(config);
    Drafts drafts;
    add_records(config, drafts);
    add_forwards(config);
    add_lists();
    add_special_names(drafts);
    pack_names(drafts);
}

const View& Zones::view_of(const IpAddress& client) const {
    for (std::size_t i = 1; i < views_.size(); ++i) {
        if (views_[i].clients.contains(client)) return views_[i];
    }
    return views_.front();
}

const View* Zones::find_view(std::string_view name) const {
    const auto found = std::ranges::find(views_, name, &View::name);
    return found == views_.end() ? nullptr : &*found;
}

void Zones::add_views(const config::Config& config) {
    views_.push_back(
        {.name = {}, .clients = {}, .group = add_group(settings_.upstream, "dns.upstream", {}), .place = {}});
    for (const config::DnsView& view : config.dns_views) {
        View added{.name = view.name.value, .clients = {}, .group = 0, .place = view.place};
        for (const auto& network : view.clients) added.clients.add(network.value);
        if (!view.upstream.empty()) added.group = add_group(view.upstream, "dns.view " + view.name.value, view.place);
        views_.push_back(std::move(added));
    }
}

void Zones::add_records(const config::Config& config, Drafts& drafts) {
    for (const config::DnsRecord& record : config.dns_records) {
        const ViewSet views = set_of(record.views);
        for (const auto& pattern : record.names) {
            const std::uint32_t rule = add_rule("dns.record " + pattern.value.text, pattern.place);
            LocalNameParts name{.views = views, .ttl = in_seconds(record.ttl), .rule = rule};
            for (const auto& address : record.addresses) append_address(name, address.value);
            auto& variants = pattern.value.is_pattern() ? drafts.below.at(key_of(pattern.value.text, seed_), 1)
                                                        : drafts.names.at(key_of(pattern.value.text, seed_));
            add_local(variants, record.views.empty(), std::move(name));
        }
    }
    for (const config::DnsRecord& record : config.dns_records) {
        const auto first =
            std::ranges::find_if(record.names, [](const auto& name) { return !name.value.is_pattern(); });
        if (first == record.names.end()) continue;
        const std::uint32_t rule = add_rule("dns.record " + first->value.text, first->place);
        add_reverse_names(record, set_of(record.views), rule, drafts);
    }
}

// An address is called by the first name that has it; what the configuration says itself of a reverse name stands.
void Zones::add_reverse_names(const config::DnsRecord& record, ViewSet views, std::uint32_t rule, Drafts& drafts) {
    const auto first = std::ranges::find_if(record.names, [](const auto& name) { return !name.value.is_pattern(); });
    const Name target = Name::parse(first->value.text).value_or(Name{});
    for (const auto& address : record.addresses) {
        LocalNameParts name{.views = views, .ttl = in_seconds(record.ttl), .rule = rule};
        append(set_of_type(name, type::ptr), name.ttl, target.wire());
        auto& variants = drafts.names.at(NameKey(reverse_name(address.value).wire(), seed_));
        const bool said =
            std::ranges::any_of(variants, [&](const LocalNameParts& present) { return present.views == views; });
        if (!said) add_local(variants, record.views.empty(), std::move(name));
    }
}

void Zones::add_forwards(const config::Config& config) {
    for (const config::DnsForward& forward : config.dns_forwards) {
        if (forward.domains.empty()) continue;
        const std::size_t group =
            add_group(forward.upstream, "dns.forward " + forward.domains.front().value.text, forward.place);
        for (const auto& domain : forward.domains) {
            const std::uint32_t rule = add_rule("dns.forward " + domain.value.text, domain.place);
            auto& forwards = domains_.at(key_of(domain.value.text, seed_)).forwards;
            forwards.insert(forward.views.empty() ? forwards.end() : forwards.begin(),
                            {set_of(forward.views), group, rule});
        }
    }
}

void Zones::add_lists() {
    for (const auto& name : settings_.deny) {
        Domain& domain = domains_.at(key_of(name.value.text, seed_));
        domain.denied = true;
        domain.denied_by = add_rule("dns.deny " + name.value.text, name.place);
    }
    for (const auto& name : settings_.rebind_allow) domains_.at(key_of(name.value.text, seed_)).private_allowed = true;
}

// This machine's own names (RFC 6761 section 6.3), and those that are nowhere; what the configuration says itself
// stands.
void Zones::add_special_names(Drafts& drafts) {
    constexpr std::uint32_t ttl = 86'400;
    const std::uint32_t here = add_rule("RFC 6761 localhost", {});
    const auto add = [](std::vector<LocalNameParts>& variants, const LocalNameParts& name) {
        const bool said =
            std::ranges::any_of(variants, [](const LocalNameParts& one) { return one.views == ~ViewSet{0}; });
        if (!said) add_local(variants, true, name);
    };
    const Name host = Name::parse("localhost").value_or(Name{});
    const NameKey localhost(host.wire(), seed_);
    LocalNameParts addresses{.views = ~ViewSet{0}, .ttl = ttl, .rule = here};
    for (const char* text : {"127.0.0.1", "::1"}) {
        const IpAddress address = *IpAddress::parse(text);
        append_address(addresses, address);
        LocalNameParts pointer{.views = ~ViewSet{0}, .ttl = ttl, .rule = here};
        append(set_of_type(pointer, type::ptr), ttl, host.wire());
        add(drafts.names.at(NameKey(reverse_name(address).wire(), seed_)), pointer);
    }
    add(drafts.names.at(localhost), addresses);
    add(drafts.below.at(localhost), addresses);
    for (const SpecialName& special : absent_names()) {
        Domain& domain = domains_.at(key_of(special.name, seed_));
        domain.absent = special.absent;
        if (special.name.ends_with("in-addr.arpa")) domain.whole_labels = 6;
        if (special.name.ends_with("ip6.arpa")) domain.whole_labels = 34;
        domain.absent_by = add_rule(std::string(special.source) + ' ' + std::string(special.name), {});
    }
}

void Zones::pack_names(Drafts& drafts) {
    names_ = LocalNames(drafts.names.size());
    drafts.names.for_each([this](Bytes name, const auto& variants) { names_.add({name, seed_}, pack(variants)); });
    drafts.below.for_each(
        [this](Bytes name, const auto& variants) { domains_.at({name, seed_}).below = pack(variants); });
}

std::size_t Zones::add_group(const std::vector<config::Located<config::DnsUpstream>>& servers, std::string owner,
                             config::Place place) {
    UpstreamGroup group{.servers = {}, .owner = std::move(owner), .place = std::move(place)};
    for (const auto& server : servers) group.servers.push_back(server.value);
    group.outside = servers.empty() || std::ranges::any_of(group.servers, [](const config::DnsUpstream& server) {
                        return !leads_inside(server.address.ip);
                    });
    groups_.push_back(std::move(group));
    return groups_.size() - 1;
}

std::uint32_t Zones::add_rule(std::string text, config::Place place) {
    rules_.push_back({std::move(text), std::move(place)});
    return static_cast<std::uint32_t>(rules_.size() - 1);
}

ViewSet Zones::set_of(const std::vector<config::Located<std::string>>& views) const {
    if (views.empty()) return ~ViewSet{0};
    ViewSet out = 0;
    for (std::size_t i = 1; i < views_.size(); ++i) {
        const bool named = std::ranges::any_of(views, [&](const auto& view) { return view.value == views_[i].name; });
        if (named) out |= ViewSet{1} << i;
    }
    return out;
}

}  // namespace sallyport::dns
