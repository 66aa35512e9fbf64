#include "gate/http/url_rules.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace sallyport::gate::http {

namespace {

// What innovaphone's PBX and its applications need from outside.
constexpr std::string_view mypbx[] = {"/PBX0/MY", "/PBX0/WEBSOCKET", "/PBX0/DEVICES", "/CDR0/CALL-LIST",
                                      "/apps/innovaphone-reporting/mypbx"};
constexpr std::string_view apps[] = {"/PBX0/APPS", "/PBX0/web/js", "/fonts"};
constexpr std::string_view reporting[] = {"/apps/innovaphone-reporting",
                                          "/classes",
                                          "/style_inno.css",
                                          "/style.css",
                                          "/java_main.js",
                                          "/images",
                                          "/favicon.ico"};
constexpr std::string_view cdr[] = {"/ap/cdr.fcgi"};
constexpr std::string_view soap[] = {"/PBX0/user.soap"};
constexpr std::string_view operator_console[] = {"/PBX0/ADMIN"};

constexpr Preset all_presets[] = {
    {"mypbx", "the myPBX client with its call lists", mypbx},
    {"apps", "PBX apps, from version 12r2, beside mypbx", apps},
    {"reporting", "the whole reporting application", reporting},
    {"cdr", "call detail records that other PBXs post to the reporting service", cdr},
    {"soap", "TAPI and SOAP connections to the PBX", soap},
    {"operator", "night switches set by operator consoles, beside mypbx", operator_console},
};

bool is_hex(char c) { return parse_number<unsigned>(std::string_view(&c, 1), 16).has_value(); }

struct Octet {
    unsigned char value = 0;
    bool escaped = false;
    std::size_t width = 1;  // bytes of the path
};

// The first octet of `path`, its escape undone once; nothing for an invalid escape.
std::optional<Octet> decode(std::string_view path) {
    if (path.front() != '%') return Octet{.value = static_cast<unsigned char>(path.front())};
    if (path.size() < 3) return std::nullopt;
    const auto value = parse_number<unsigned char>(path.substr(1, 2), 16);
    if (!value) return std::nullopt;
    return Octet{.value = *value, .escaped = true, .width = 3};
}

// Watches the octets of a path go by, after one decoding.
class PathReader {
public:
    /// False when this octet makes the path ambiguous.
    bool take(Octet octet) {
        const char c = static_cast<char>(octet.value);
        if (octet.value < 0x20 || octet.value == 0x7F || c == '\\') return false;
        if (c == '/') return !octet.escaped && end_segment();
        extend_segment(c);
        return follows_well(octet.value);
    }

    bool finish() const { return !is_dot_segment(); }

private:
    // A segment of dots, and of blanks that some file systems drop, names a place and not a thing.
    bool is_dot_segment() const { return has_dot_ && !has_other_; }

    bool end_segment() {
        const bool ok = !is_dot_segment() && !(after_slash_ && empty_);
        *this = {};
        after_slash_ = true;
        return ok;
    }

    // Path parameters do not count: "..;x" is ".." to servers that strip them, and ";x" is nothing.
    void extend_segment(char c) {
        if (c == ';') in_parameters_ = true;
        if (in_parameters_) return;
        empty_ = false;
        if (c == '.')
            has_dot_ = true;
        else if (c != ' ')
            has_other_ = true;
    }

    // Two octets can say what one must not: an escape in decoded text, and overlong UTF-8 (RFC 3629 section 3).
    bool follows_well(unsigned char octet) {
        const bool overlong = octet == 0xC0 || octet == 0xC1 || (last_ == 0xE0 && octet >= 0x80 && octet < 0xA0) ||
                              (last_ == 0xF0 && octet >= 0x80 && octet < 0x90);
        const bool escape = before_last_ == '%' && is_hex(static_cast<char>(last_)) && is_hex(static_cast<char>(octet));
        before_last_ = last_;
        last_ = octet;
        return !overlong && !escape;
    }

    bool after_slash_ = false;
    bool empty_ = true;
    bool in_parameters_ = false;
    bool has_dot_ = false;
    bool has_other_ = false;
    unsigned char last_ = 0;  // within the segment
    unsigned char before_last_ = 0;
};

}  // namespace

bool is_ambiguous(std::string_view path) {
    PathReader reader;
    while (!path.empty()) {
        const auto octet = decode(path);
        if (!octet || !reader.take(*octet)) return true;
        path.remove_prefix(octet->width);
    }
    return !reader.finish();
}

bool admits(std::string_view rule, std::string_view path) {
    if (!path.starts_with(rule)) return false;
    return !rule.ends_with('/') || path.find('/', rule.size()) == std::string_view::npos;
}

std::optional<std::size_t> admitting_rule(std::span<const std::string> rules, std::string_view path) {
    const auto at = std::ranges::find_if(rules, [path](const std::string& rule) { return admits(rule, path); });
    if (at == rules.end()) return std::nullopt;
    return static_cast<std::size_t>(at - rules.begin());
}

std::span<const Preset> presets() { return all_presets; }

const Preset* find_preset(std::string_view name) {
    const auto* at = std::ranges::find(all_presets, name, &Preset::name);
    return at == std::end(all_presets) ? nullptr : at;
}

}  // namespace sallyport::gate::http
