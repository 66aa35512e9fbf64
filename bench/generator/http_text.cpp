#include "generator/http_text.hpp"

#include <strings.h>

#include "base/text.hpp"

namespace sallyport::bench {

std::optional<std::string_view> field(std::string_view head, std::string_view name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos && at + 2 < head.size();) {
        at += 2;
        const std::size_t end = head.find("\r\n", at);
        const std::string_view line = head.substr(at, end - at);
        if (line.size() > name.size() && line[name.size()] == ':' &&
            ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
            return trim(line.substr(name.size() + 1));
        }
        at = end;
    }
    return std::nullopt;
}

std::optional<Head> read_head(std::string_view text) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view all = text.substr(0, end + 4);

    Head head{.start_line = all.substr(0, all.find("\r\n")), .size = all.size()};
    if (head.start_line.starts_with("HTTP/1.") && head.start_line.size() >= 12) {
        head.status = parse_number<int>(head.start_line.substr(9, 3)).value_or(0);
    }
    if (const auto length = field(all, "content-length"))
        head.body_size = parse_number<std::size_t>(*length).value_or(0);
    const auto connection = field(all, "connection");
    const bool old = head.start_line.ends_with(" HTTP/1.0") || head.start_line.starts_with("HTTP/1.0 ");
    head.closes = connection ? equals_ignoring_case(*connection, "close") : old;
    return head;
}

std::string plain_request(std::string_view host, std::string_view path, bool close) {
    std::string out = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
                      "\r\nUser-Agent: bench_load\r\nAccept: */*\r\n";
    if (close) out += "Connection: close\r\n";
    return out + "\r\n";
}

// The key and its answer are the sample pair of RFC 6455 section 1.3; what follows the 101 is not framed, since no
// relay looks into it.
std::string upgrade_request(std::string_view host, std::string_view path) {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + std::string(host) +
           "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
}

std::string upgrade_answer() {
    return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
}

std::string ok_head(std::uint64_t body_size) {
    return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body_size) + "\r\n\r\n";
}

std::string ok_answer(std::string_view body) { return ok_head(body.size()) + std::string(body); }

}  // namespace sallyport::bench
