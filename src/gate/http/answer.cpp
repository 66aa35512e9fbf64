#include "gate/http/answer.hpp"

#include "base/html.hpp"
#include "gate/http/html.hpp"
#include "wire/http/status.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::gate::http {

namespace {

constexpr RefusalRow unlisted = {.reason = "", .status = 500, .closes = true};

constexpr RefusalRow refusals[] = {
    {.reason = "acl.denied", .status = 403},
    {.reason = "ban.active", .status = 403, .closes = true},
    {.reason = "body.malformed", .status = 400, .closes = true},
    {.reason = "cert.expired", .status = 403},
    {.reason = "cert.missing", .status = 403},
    {.reason = "cert.untrusted", .status = 403},
    {.reason = "client.stalled", .status = 408, .closes = true},
    {.reason = "draining", .status = 503, .closes = true, .retry_after = 5},
    {.reason = "egress.exhausted", .status = 503, .retry_after = 30},
    {.reason = "egress.unknown", .status = 503, .retry_after = 5},
    {.reason = "limit.client", .status = 503, .closes = true, .retry_after = 5},
    {.reason = "limit.connections", .status = 503, .closes = true, .retry_after = 5},
    {.reason = "limit.descriptors", .status = 503, .closes = true, .retry_after = 5},
    {.reason = "limit.service", .status = 503, .retry_after = 5},
    {.reason = "peek.malformed", .status = 400, .closes = true},
    {.reason = "peek.timeout", .status = 408, .closes = true},
    {.reason = "peek.too_large", .status = 431, .closes = true},
    {.reason = "protocol.unsupported", .status = 501, .closes = true},
    {.reason = "proxy.untrusted", .status = 400, .closes = true},
    {.reason = "service.no_name", .status = 400},
    {.reason = "service.redirected", .status = 308},
    {.reason = "service.unknown", .status = 404},
    {.reason = "target.closed", .status = 502},
    {.reason = "target.down", .status = 503, .retry_after = 10},
    {.reason = "target.malformed", .status = 502},
    {.reason = "target.refused", .status = 502},
    {.reason = "target.rejected", .status = 502},
    {.reason = "target.stalled", .status = 504},
    {.reason = "target.timeout", .status = 504},
    {.reason = "target.tls", .status = 502},
    {.reason = "target.unreachable", .status = 502},
    {.reason = "target.unresolved", .status = 502},
    {.reason = "tls.misdirected", .status = 421},
    {.reason = "tls.plain_on_tls_port", .status = 400, .closes = true},
    {.reason = "url.ambiguous", .status = 400},
    {.reason = "url.not_allowed", .status = 403},
};

constexpr std::size_t longest_shown = 200;  // bytes of what the client asked for

// A cause reads on in a log line; on a page it stands alone.
std::string sentence(std::string_view cause) {
    std::string out = escape_html(cause);
    if (!out.empty() && out.front() >= 'a' && out.front() <= 'z')
        out.front() = static_cast<char>(out.front() - ('a' - 'A'));
    return out + ".";
}

std::string page(const Answer& answer, std::uint16_t status) {
    const std::string heading = std::to_string(status) + " " + std::string(sallyport::http::reason_phrase(status));
    std::string out = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">";
    out += "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">";
    out += "<title>" + heading + "</title>" + std::string(page_style) + "</head>\n<body><h1>" + heading + "</h1>\n";
    out += "<p>" + sentence(answer.cause) + "</p>\n";
    if (!answer.looked_for.empty()) {
        out += "<p>Asked for: <code>" + escape_html(answer.looked_for.substr(0, longest_shown)) + "</code></p>\n";
    }
    out += "<p><small>Reason <code>" + escape_html(answer.reason) + "</code> at " + to_rfc3339(answer.time) +
           "</small></p></body></html>\n";
    return out;
}

std::uint16_t status_of(const Answer& answer) {
    return answer.status != 0 ? answer.status : refusal_row(answer.reason).status;
}

}  // namespace

const RefusalRow& refusal_row(std::string_view reason) {
    const auto* at = std::ranges::find(refusals, reason, &RefusalRow::reason);
    return at == std::end(refusals) ? unlisted : *at;
}

bool keeps_alive(const Answer& answer) { return answer.keep_alive && !refusal_row(answer.reason).closes; }

std::string write_answer(const Answer& answer) {
    const std::uint16_t status = status_of(answer);
    const std::string body = page(answer, status);
    const auto retry_after = refusal_row(answer.reason).retry_after;

    std::string out =
        "HTTP/1.1 " + std::to_string(status) + " " + std::string(sallyport::http::reason_phrase(status)) + "\r\n";
    out += "Date: " + to_http_date(answer.time) + "\r\n";
    out += "Content-Type: text/html; charset=utf-8\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    out += "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    out += "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n";
    if (!answer.location.empty()) out += "Location: " + answer.location + "\r\n";
    if (retry_after != 0) out += "Retry-After: " + std::to_string(retry_after) + "\r\n";
    out += keeps_alive(answer) ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    if (answer.method != sallyport::http::Method::head) out += body;
    return out;
}

std::string write_page(std::string_view media_type, std::string_view body, sallyport::http::Method method,
                       bool keep_alive) {
    std::string out = "HTTP/1.1 200 OK\r\nContent-Type: " + std::string(media_type) +
                      "\r\nCache-Control: no-store\r\nContent-Length: " + std::to_string(body.size()) +
                      (keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
    if (method != sallyport::http::Method::head) out += body;
    return out;
}

}  // namespace sallyport::gate::http
