#include "dns/examine.hpp"

#include "base/network_map.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace sallyport::dns {

namespace {

// Addresses that no name outside may have here: with them a web page could reach into the network of its reader.
const NetworkSet& private_networks() {
    static const NetworkSet networks = [] {
        NetworkSet out;
        for (const char* text :
             {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
              "192.168.0.0/16", "255.255.255.255/32", "::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10"})
            out.add(*Network::parse(text));
        return out;
    }();
    return networks;
}

bool is_private(const Record& record, Bytes rdata) {
    if (record.type == type::a && rdata.size() == 4) return leads_inside(IpAddress::v4(*ByteReader(rdata).u32()));
    if (record.type != type::aaaa || rdata.size() != 16) return false;
    std::array<std::uint8_t, 16> octets;
    std::memcpy(octets.data(), rdata.data(), octets.size());
    return leads_inside(IpAddress::v6(octets));
}

// Walks along the answer section: each record must be about the name that the chain has come to.
class Chain {
public:
    explicit Chain(Bytes question_name) : name_(*Name::from_wire(question_name)) {}

    bool follows(Bytes message, const Record& record, const Name& owner) {
        if (record.type == type::dname) return is_above(owner);
        if (!same_name(owner.wire(), name_.wire())) return record.type == type::rrsig;  // of what was passed
        if (record.type == type::cname) {
            const auto target = read_name(message, record.rdata);
            if (!target || ++links_ > most_links) return false;
            name_ = target->name;
        }
        return true;
    }

private:
    static constexpr int most_links = 16;

    bool is_above(const Name& owner) const {
        const Bytes whole = name_.wire(), ending = owner.wire();
        return whole.size() > ending.size() && same_name(whole.last(ending.size()), ending);
    }
    Name name_;
    int links_ = 0;
};

// RFC 2308 section 5: the smaller of the SOA's own TTL and its last field.
std::optional<std::uint32_t> negative_lifetime(Bytes message, const Record& soa) {
    const auto server = skip_name(message, soa.rdata);
    const auto mailbox = server ? skip_name(message, *server) : std::nullopt;
    if (!mailbox || *mailbox + 20 != soa.rdata + soa.size) return std::nullopt;
    const std::uint32_t minimum = *ByteReader(message.subspan(*mailbox + 16)).u32();
    return std::min({soa.ttl, minimum, longest_negative_ttl});
}

}  // namespace

bool leads_inside(const IpAddress& address) { return private_networks().contains(address); }

Examined examine(Bytes message, const Response& response) {
    Examined out;
    out.on_topic = true;
    out.end = message.size();
    const auto rcode = static_cast<Rcode>(response.header.flags & flag::rcode);
    const bool asked_any = response.question.size() >= 4 && *ByteReader(response.question.last(4)).u16() == type::any;
    Chain chain(response.question.first(response.question.size() - 4));
    std::uint32_t least = longest_ttl;
    std::optional<std::uint32_t> negative;
    bool too_many = false, answered = false;
    RecordReader records(message, response.header, response.records_at());
    while (const auto record = records.next()) {
        if (record->type == type::opt) {
            out.edns = read_edns(message, *record);
            out.malformed = out.malformed || out.has_opt || !out.edns || records.position() != message.size() ||
                            record->section != Record::Section::additional;
            out.has_opt = true;
            out.end = record->owner;
            continue;
        }
        const auto owner = read_name(message, record->owner);
        if (!owner) {
            out.malformed = true;
            break;
        }
        too_many = too_many || out.records == Examined::most_records || record->ttl_at > 0xFFFF;
        if (!too_many) out.ttl_at[out.records++] = static_cast<std::uint16_t>(record->ttl_at);
        // A TTL with the highest bit set counts as 0 (RFC 2181 section 8).
        const std::uint32_t ttl = record->ttl > 0x7FFFFFFF ? 0 : record->ttl;
        if (record->section == Record::Section::answer) {
            answered = answered || (record->type != type::cname && record->type != type::dname);
            out.on_topic = out.on_topic && chain.follows(message, *record, owner->name);
            least = std::min(least, ttl);
            out.has_private_address =
                out.has_private_address || is_private(*record, message.subspan(record->rdata, record->size));
        }
        if (record->section == Record::Section::authority && record->type == type::soa)
            negative = negative_lifetime(message, *record);
    }
    const bool kept_kind = !response.header.has(flag::truncated) && !too_many && !out.malformed && out.on_topic &&
                           !asked_any && (!out.edns || out.edns->extended_rcode == 0);
    if (!kept_kind) return out;
    if (rcode == Rcode::serv_fail)
        out.lifetime = failure_ttl;
    else if (rcode == Rcode::nx_domain || (rcode == Rcode::no_error && !answered))
        out.lifetime = negative ? std::optional(response.header.answers == 0 ? *negative : std::min(*negative, least))
                                : std::nullopt;
    else if (rcode == Rcode::no_error)
        out.lifetime = least;
    if (out.lifetime == 0U) out.lifetime.reset();
    return out;
}

}  // namespace sallyport::dns
