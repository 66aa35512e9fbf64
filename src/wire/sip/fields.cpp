#include "wire/sip/fields.hpp"

#include "base/text.hpp"
#include "wire/sip/known_names.hpp"
#include "wire/sip/text.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace sallyport::sip {

namespace {

struct Known {
    std::string_view name;  // lower case
    FieldKind kind;
    char compact = '\0';  // '\0': has none
};

constexpr Known known_fields[] = {
    {"to", FieldKind::to, 't'},
    {"via", FieldKind::via, 'v'},
    {"from", FieldKind::from, 'f'},
    {"cseq", FieldKind::cseq},
    {"event", FieldKind::event, 'o'},
    {"route", FieldKind::route},
    {"call-id", FieldKind::call_id, 'i'},
    {"contact", FieldKind::contact, 'm'},
    {"expires", FieldKind::expires},
    {"subject", FieldKind::subject, 's'},
    {"refer-to", FieldKind::refer_to, 'r'},
    {"supported", FieldKind::supported, 'k'},
    {"referred-by", FieldKind::referred_by, 'b'},
    {"allow-events", FieldKind::allow_events, 'u'},
    {"content-type", FieldKind::content_type, 'c'},
    {"max-forwards", FieldKind::max_forwards},
    {"record-route", FieldKind::record_route},
    {"authorization", FieldKind::authorization},
    {"content-length", FieldKind::content_length, 'l'},
    {"session-expires", FieldKind::session_expires, 'x'},
    {"content-encoding", FieldKind::content_encoding, 'e'},
    {"www-authenticate", FieldKind::www_authenticate},
    {"proxy-authenticate", FieldKind::proxy_authenticate},
    {"proxy-authorization", FieldKind::proxy_authorization},
};
constexpr KnownNames known_names{std::span(known_fields)};
static_assert(longest_known_name <= known_names.longest);

// By what is found among the names; behind them what no name has.
constexpr auto kinds = [] {
    std::array<FieldKind, std::size(known_fields) + 1> out{};
    std::ranges::transform(known_fields, out.begin(), &Known::kind);
    return out;
}();

constexpr auto compact_kinds = [] {
    std::array<FieldKind, 26> kinds{};
    for (const Known& known : known_fields) {
        if (known.compact != '\0') kinds[static_cast<std::size_t>(known.compact - 'a')] = known.kind;
    }
    return kinds;
}();

// Bytes up to the comma that ends the first member, or all of them.
std::size_t member_size(std::string_view list) {
    bool in_brackets = false;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const char c = list[i];
        if (c == '"' && !in_brackets) {
            const std::size_t quoted = quoted_size(list.substr(i));
            if (quoted == 0) return list.size();  // a quote that is never closed holds the rest
            i += quoted - 1;
        } else if (c == '<') {
            in_brackets = true;
        } else if (c == '>') {
            in_brackets = false;
        } else if (c == ',' && !in_brackets) {
            return i;
        }
    }
    return list.size();
}

std::string_view take(std::string_view& text, std::size_t size) {
    const std::string_view front = text.substr(0, size);
    text.remove_prefix(size);
    return front;
}

}  // namespace

FieldKind kind_of(std::string_view name) {
    if (name.size() == 1) {
        const char letter = to_lower(name[0]);
        return letter >= 'a' && letter <= 'z' ? compact_kinds[static_cast<std::size_t>(letter - 'a')]
                                              : FieldKind::other;
    }
    if (name.empty() || name.size() > longest_known_name) return FieldKind::other;
    std::array<char, known_names.longest> padded{};
    std::ranges::copy(name, padded.begin());
    return kinds[known_names.find(padded.data(), name.size())];
}

FieldKind kind_at_front(std::string_view text, std::size_t size) {
    const bool in_window = size > 1 && size <= longest_known_name && text.size() >= std::max(size, known_names.window);
    return in_window ? kinds[known_names.find(text.data(), size)] : kind_of(text.substr(0, size));
}

const Field* find(const FieldList& fields, FieldKind kind) {
    const auto* at = std::ranges::find(fields, kind, &Field::kind);
    return at == fields.end() ? nullptr : at;
}

std::size_t count(const FieldList& fields, FieldKind kind) {
    return static_cast<std::size_t>(std::ranges::count(fields, kind, &Field::kind));
}

std::optional<std::string_view> next_member(std::string_view& rest) {
    while (!rest.empty()) {
        const std::string_view member = trim_white(take(rest, member_size(rest)));
        if (!rest.empty()) rest.remove_prefix(1);  // the comma
        if (!member.empty()) return member;
    }
    return std::nullopt;
}

std::optional<Parameter> next_parameter(std::string_view& rest) {
    std::string_view ahead = rest;
    skip_white(ahead);
    if (!ahead.starts_with(';')) return std::nullopt;
    ahead.remove_prefix(1);
    skip_white(ahead);

    Parameter out;
    out.name = take(ahead, run_of(token_set, ahead));
    if (out.name.empty()) return std::nullopt;
    std::string_view value = ahead;
    skip_white(value);
    if (value.starts_with('=')) {
        value.remove_prefix(1);
        skip_white(value);
        const std::size_t quoted = quoted_size(value);
        out.value = take(value, quoted != 0 ? quoted : run_of(value_set, value));
        if (out.value.empty()) return std::nullopt;
        out.has_value = true;
        ahead = value;
    }
    rest = ahead;
    return out;
}

}  // namespace sallyport::sip
