#include "admin/message.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace sallyport::admin {

namespace {

// RFC 3986 section 2.3: what never needs encoding.
bool is_unreserved(char c) {
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter_or_digit || std::string_view("-._~").contains(c);
}

void append_encoded(std::string& out, std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    }
}

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            out += text.front() == '+' ? ' ' : text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto byte = parse_number<unsigned char>(text.substr(1, 2), 16);
        if (text.size() < 3 || !byte) return std::nullopt;
        out += static_cast<char>(*byte);
        text.remove_prefix(3);
    }
    return out;
}

}  // namespace

Response json_response(const nlohmann::json& value, unsigned status) {
    return {.status = status, .content_type = "application/json", .body = to_text(value) + "\n"};
}

Response text_response(std::string body, std::string_view content_type) {
    return {.content_type = std::string(content_type), .body = std::move(body)};
}

Response problem_response(const Problem& problem) {
    nlohmann::json out = {{"type", "about:blank"},
                          {"title", http::reason_phrase(problem.status)},
                          {"status", problem.status},
                          {"detail", problem.detail}};
    if (problem.reason) out["reason"] = telemetry::code(*problem.reason);
    if (problem.more.is_object()) out.update(problem.more);
    Response response = json_response(out, problem.status);
    response.content_type = "application/problem+json";
    return response;
}

std::string to_text(const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Query> parse_query(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        if (pair.empty()) continue;
        const std::string_view raw_name = pair.substr(0, pair.find('='));
        const auto name = decoded(raw_name);
        const auto value = decoded(pair.substr(std::min(raw_name.size() + 1, pair.size())));
        if (!name || !value) return fail("the query has a '%' without two hexadecimal digits behind it");
        if (!query.emplace(*name, *value).second) return fail("the query says \"" + *name + "\" twice");
    }
    return query;
}

std::string with_query(std::string_view path, std::span<const std::pair<std::string_view, std::string_view>> query) {
    std::string out(path);
    char before = '?';
    for (const auto& [name, value] : query) {
        out += before;
        append_encoded(out, name);
        out += '=';
        append_encoded(out, value);
        before = '&';
    }
    return out;
}

std::string write_response(const Response& response, bool keep_alive, bool head_only) {
    std::string out =
        "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(http::reason_phrase(response.status));
    out += "\r\nContent-Type: " + response.content_type;
    out += "\r\nContent-Length: " + std::to_string(response.body.size());
    // What is told here is true now and for its asker; no browser is to guess another type.
    out += "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff";
    for (const auto& [name, value] : response.fields) out += "\r\n" + name + ": " + value;
    out += keep_alive ? "\r\nConnection: keep-alive\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
    if (!head_only) out += response.body;
    return out;
}

}  // namespace sallyport::admin
