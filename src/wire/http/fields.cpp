#include "wire/http/fields.hpp"

#include "base/text.hpp"
#include "wire/http/names_by_length.hpp"

#include <algorithm>

namespace sallyport::http {

namespace {

struct Known {
    std::string_view name;  // lower case
    FieldKind kind;
};

// Sorted by the length of the name.
constexpr Known known_fields[] = {
    {"te", FieldKind::hop_by_hop},
    {"via", FieldKind::via},
    {"host", FieldKind::host},
    {"proxy", FieldKind::hop_by_hop},  // becomes the variable HTTP_PROXY in CGI programs
    {"expect", FieldKind::expect},
    {"upgrade", FieldKind::upgrade},
    {"trailer", FieldKind::trailer},
    {"forwarded", FieldKind::forwarded},
    {"x-real-ip", FieldKind::claim},
    {"connection", FieldKind::connection},
    {"keep-alive", FieldKind::hop_by_hop},
    {"client-cert", FieldKind::identity},
    {"x-client-ip", FieldKind::claim},
    {"authorization", FieldKind::authentication},
    {"x-client-cert", FieldKind::identity},
    {"x-rewrite-url", FieldKind::claim},  // some targets route by it, past the rules for URLs
    {"content-length", FieldKind::content_length},
    {"http2-settings", FieldKind::hop_by_hop},
    {"true-client-ip", FieldKind::claim},
    {"x-original-url", FieldKind::claim},
    {"x-forwarded-for", FieldKind::forwarded_for},
    {"www-authenticate", FieldKind::authentication},
    {"x-forwarded-host", FieldKind::forwarded_host},
    {"x-forwarded-proto", FieldKind::forwarded_proto},
    {"client-cert-chain", FieldKind::identity},
    {"transfer-encoding", FieldKind::transfer_encoding},
    {"x-cluster-client-ip", FieldKind::claim},
    {"x-forwarded-client-cert", FieldKind::identity},
};
constexpr NamesByLength<Known, std::end(known_fields)[-1].name.size()> known_by_length(known_fields);

constexpr Known families[] = {
    {"x-forwarded-", FieldKind::claim},
    {"x-ssl-", FieldKind::identity},
    {"ssl-client-", FieldKind::identity},
    {"proxy-", FieldKind::hop_by_hop},
};

// RFC 9110 section 6.5.1, beyond the fields that have a kind of their own.
constexpr std::string_view never_in_trailers[] = {"accept",
                                                  "age",
                                                  "cache-control",
                                                  "content-encoding",
                                                  "content-location",
                                                  "content-range",
                                                  "content-type",
                                                  "cookie",
                                                  "date",
                                                  "if-match",
                                                  "if-modified-since",
                                                  "if-none-match",
                                                  "if-unmodified-since",
                                                  "if-range",
                                                  "expires",
                                                  "location",
                                                  "max-forwards",
                                                  "pragma",
                                                  "range",
                                                  "retry-after",
                                                  "set-cookie",
                                                  "vary",
                                                  "warning",
                                                  "origin",
                                                  "sec-websocket-key"};

// '_' counts as '-': CGI-style targets see no difference between them.
constexpr char folded(char c) { return c == '_' ? '-' : to_lower(c); }

bool starts_with_known(std::string_view name, std::string_view known) {
    if (name.size() < known.size()) return false;
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (folded(name[i]) != known[i]) return false;
    }
    return true;
}

FieldKind folded_kind_of(std::string_view name) {
    for (const Known& known : known_by_length.of_length(name.size())) {
        if (starts_with_known(name, known.name)) return known.kind;
    }
    for (const Known& family : families) {
        if (starts_with_known(name, family.name)) return family.kind;
    }
    return FieldKind::other;
}

}  // namespace

FieldKind kind_of(std::string_view name) {
    const FieldKind kind = folded_kind_of(name);
    const bool look_alike = kind != FieldKind::other && name.find('_') != std::string_view::npos;
    return look_alike ? FieldKind::look_alike : kind;
}

const Field* find(const FieldList& fields, std::string_view name) {
    const auto* at =
        std::ranges::find_if(fields, [name](const Field& f) { return equals_ignoring_case(f.name, name); });
    return at == fields.end() ? nullptr : at;
}

std::optional<std::string_view> next_member(std::string_view& rest) {
    while (!rest.empty()) {
        bool quoted = false;
        std::size_t end = 0;
        for (; end < rest.size() && (quoted || rest[end] != ','); ++end) {
            if (rest[end] == '"') quoted = !quoted;
            if (quoted && rest[end] == '\\') ++end;
        }
        end = std::min(end, rest.size());
        const std::string_view member = trim(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (!member.empty()) return member;
    }
    return std::nullopt;
}

bool has_member(std::string_view list, std::string_view member) {
    while (const auto next = next_member(list)) {
        if (equals_ignoring_case(*next, member)) return true;
    }
    return false;
}

bool named_in_connection(const FieldList& fields, std::string_view name) {
    return std::ranges::any_of(
        fields, [name](const Field& f) { return f.kind == FieldKind::connection && has_member(f.value, name); });
}

bool allowed_in_trailer(const Field& field) {
    return field.kind == FieldKind::other && std::ranges::none_of(never_in_trailers, [&field](std::string_view name) {
               return equals_ignoring_case(field.name, name);
           });
}

}  // namespace sallyport::http
