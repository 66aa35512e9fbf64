#include "cli/egress_shapes.hpp"

#include "cli/shapes.hpp"

#include <algorithm>
#include <map>

namespace sallyport::cli {

using nlohmann::json;

namespace {

// In the order of who, so that two lists can be compared line by line.
template <class Visit>
void for_each_source(const egress::Book& book, std::size_t most, Visit visit) {
    std::vector<const egress::Book::Leases::value_type*> sorted;
    sorted.reserve(book.leases().size());
    for (const auto& line : book.leases()) sorted.push_back(&line);
    std::ranges::sort(sorted, {}, [](const auto* line) { return line->first; });
    for (const auto* line : sorted) {
        for (const auto& lease : line->second) {
            if (!lease) continue;
            if (most-- == 0) return;
            visit(line->first, *lease);
        }
    }
}

std::string csv_field(std::string text) {
    if (text.find_first_of("\",\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
}

}  // namespace

json sources_json(const egress::Book& book, std::size_t most) {
    json rows = json::array();
    for_each_source(book, most, [&rows](const std::string& who, const egress::Lease& lease) {
        rows.push_back({{"who", who},
                        {"source", lease.source.to_string()},
                        {"since", to_rfc3339(lease.since)},
                        {"seen", to_rfc3339(lease.seen)}});
    });
    return rows;
}

json pins_json(const egress::Book& book, std::size_t most) {
    json rows = json::array();
    for (const egress::Pin& pin : book.policy().pins) {
        if (rows.size() == most) return rows;
        rows.push_back({{"who", pin.subject()}, {"source", pin.source.to_string()}, {"origin", "configuration"}});
    }
    for (const auto& [pin, lease] : book.pinned()) {
        if (rows.size() == most) return rows;
        rows.push_back({{"who", pin.subject()},
                        {"source", pin.source.to_string()},
                        {"origin", "manual"},
                        {"since", to_rfc3339(lease.since)}});
    }
    return rows;
}

json pool_json(const egress::Book& book) {
    std::map<IpAddress, std::size_t> users;
    for (const auto& [who, lines] : book.leases()) {
        for (const auto& line : lines) {
            if (line) ++users[line->source];
        }
    }
    json rows = json::array();
    for (const auto& [source, count] : users) rows.push_back({{"source", source.to_string()}, {"users", count}});
    return rows;
}

json choice_json(const egress::Choice& choice, egress::Family family) {
    const auto& source = choice.sources.of(family);
    return {{"source", source ? json(source->to_string()) : json(nullptr)},
            {"why", egress::why_names[static_cast<std::size_t>(choice.why[static_cast<std::size_t>(family)])]}};
}

json nat_json(const egress::NatMap& map, std::size_t most) {
    json clients = json::array();
    for (const auto& [client, source] : map.entries) {
        if (clients.size() == most) break;
        clients.push_back({{"client", client.to_string()}, {"source", source.to_string()}});
    }
    return {{"clients", std::move(clients)}, {"unplaced", map.unplaced}};
}

egress::NatMap nat_of(const json& nat) {
    egress::NatMap out;
    for (const auto& one : nat.value("clients", json::array())) {
        const auto client = Network::parse(text_of(one, "client"));
        const auto source = IpAddress::parse(text_of(one, "source"));
        if (client && source && client->address().is_v4() == source->is_v4()) out.entries.push_back({*client, *source});
    }
    for (const auto& one : nat.value("unplaced", json::array())) {
        if (one.is_string()) out.unplaced.push_back(one.get<std::string>());
    }
    return out;
}

json users_json(const egress::Book& book, const IpAddress& source, std::size_t most) {
    json users = json::array();
    const auto add = [&](const egress::Pin& pin) {
        if (pin.source == source && users.size() < most) users.push_back(pin.subject());
    };
    for (const egress::Pin& pin : book.policy().pins) add(pin);
    for (const auto& [pin, lease] : book.pinned()) add(pin);
    for_each_source(book, book.leases().size() * 2, [&](const std::string& who, const egress::Lease& lease) {
        if (lease.source == source && users.size() < most) users.push_back(who);
    });
    return users;
}

std::string egress_text(const json& answer) {
    if (!answer.value("enabled", false)) return "no source addresses are given: there is no [egress] with a pool\n";
    std::vector<std::vector<std::string>> rows{{"WHO", "SOURCE", "SINCE", "SEEN", "ORIGIN"}};
    for (const auto& pin : answer.value("pins", json::array()))
        rows.push_back(
            {text_of(pin, "who"), text_of(pin, "source"), text_of(pin, "since"), "", text_of(pin, "origin")});
    for (const auto& one : answer.value("sources", json::array()))
        rows.push_back(
            {text_of(one, "who"), text_of(one, "source"), text_of(one, "since"), text_of(one, "seen"), "given"});
    return table_text(rows) + std::to_string(answer.value("total", std::size_t{0})) +
           " have an address of the pool, which is " + text_of(answer, "mode") + "\n";
}

std::string whois_text(const json& answer) {
    std::string out = text_of(answer, "address") + " is " + text_of(answer, "identity") + "\n";
    for (const char* family : {"v4", "v6"}) {
        const json one = answer.value(family, json::object());
        const std::string source = text_of(one, "source");
        const std::string name = family == std::string_view("v4") ? "IPv4" : "IPv6";
        out += name + ": " + (source.empty() ? "no source of its own" : "goes out from " + source) + " (" +
               text_of(one, "why") + ")\n";
    }
    for (const auto& user : answer.value("users", json::array()))
        out += "from this address goes out: " + user.get<std::string>() + "\n";
    return out;
}

std::string egress_csv(const json& answer) {
    std::string out = "who,source,since,origin\r\n";
    const auto add = [&out](const json& one, const std::string& origin) {
        out += csv_field(text_of(one, "who")) + ',' + text_of(one, "source") + ',' + text_of(one, "since") + ',' +
               origin + "\r\n";
    };
    for (const auto& pin : answer.value("pins", json::array())) add(pin, text_of(pin, "origin"));
    for (const auto& one : answer.value("sources", json::array())) add(one, "given");
    return out;
}

}  // namespace sallyport::cli
