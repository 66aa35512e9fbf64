// The head of a request: request line (RFC 9112 section 3), then what its fields say together.
#include "base/text.hpp"
#include "wire/http/framing.hpp"
#include "wire/http/head.hpp"
#include "wire/http/scanner.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <algorithm>

namespace sallyport::http {

namespace {

constexpr int max_blank_lines = 4;  // before the request line; old clients send one behind a body
constexpr char tls_handshake = '\x16';  // the first byte of every TLS connection (RFC 8446 section 5.1)

struct MethodName {
    std::string_view name;
    Method method;
};

constexpr MethodName methods[] = {
    {"GET", Method::get},     {"POST", Method::post},   {"HEAD", Method::head},
    {"PUT", Method::put},     {"DELETE", Method::del},  {"OPTIONS", Method::options},
    {"PATCH", Method::patch}, {"TRACE", Method::trace}, {"CONNECT", Method::connect},
};

Method method_of(std::string_view text) {
    const auto* at = std::ranges::find(methods, text, &MethodName::name);
    return at == std::end(methods) ? Method::other : at->method;
}

void split_query(std::string_view path_and_query, RequestFacts& head) {
    const std::size_t mark = path_and_query.find('?');
    head.has_query = mark != std::string_view::npos;
    head.path = path_and_query.substr(0, mark);
    if (head.has_query) head.query = path_and_query.substr(mark + 1);
}

// What stands behind "http://" or "https://"; nothing for any other scheme.
std::optional<std::string_view> behind_scheme(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return target.substr(scheme.size());
    }
    return std::nullopt;
}

std::optional<HeadError> read_absolute(RequestFacts& head) {
    const auto rest = behind_scheme(head.target);
    if (!rest) return HeadError::bad_target;
    const std::size_t authority_end = std::min(rest->find_first_of("/?"), rest->size());
    const auto authority = Authority::parse(rest->substr(0, authority_end));
    if (!authority) return HeadError::bad_host;

    head.form = TargetForm::absolute;
    head.authority = *authority;
    split_query(rest->substr(authority_end), head);
    // An empty path means "/", but for OPTIONS the server itself (RFC 9112 section 3.2.4).
    if (head.path.empty()) head.path = head.method == Method::options && !head.has_query ? "*" : "/";
    return std::nullopt;
}

std::optional<HeadError> read_target(RequestFacts& head) {
    if (head.target.starts_with('/')) {
        split_query(head.target, head);
        return std::nullopt;
    }
    if (head.target != "*") return read_absolute(head);
    if (head.method != Method::options) return HeadError::bad_target;
    head.form = TargetForm::asterisk;
    head.path = head.target;
    return std::nullopt;
}

bool read_method(Scanner& scan, RequestFacts& head) {
    std::string_view text;
    if (!scan.run(token_set, HeadError::bad_method, text)) return false;
    if (text.size() > max_method) return scan.refuse(HeadError::bad_method);
    head.method_text = text;
    head.method = method_of(text);
    if (!scan.one(' ', HeadError::bad_method)) return false;
    return head.method != Method::connect || scan.refuse(HeadError::connect);
}

bool read_version(Scanner& scan, RequestFacts& head) {
    unsigned major = 0;
    unsigned minor = 0;
    if (!scan.version(major, minor)) return false;
    if (major == 2 && head.method_text == "PRI") return scan.refuse(HeadError::http2_preface);
    if (major != 1 || minor > 1) return scan.refuse(HeadError::unsupported_version);
    head.minor_version = static_cast<std::uint8_t>(minor);
    return scan.line_end(HeadError::bad_version);
}

bool read_request_line(Scanner& scan, RequestFacts& head) {
    if (!read_method(scan, head)) return false;
    if (!scan.run(target_set, HeadError::bad_target, head.target)) return false;
    // Only a blank may end the target; the end of the line here is HTTP/0.9.
    if (!scan.one(' ', scan.next_is('\r') ? HeadError::bad_version : HeadError::bad_target)) return false;
    if (!read_version(scan, head)) return false;
    const auto error = read_target(head);
    return !error || scan.refuse(*error);
}

// Host is held to its rules even where the absolute form decides (RFC 9112 sections 3.2 and 3.2.2).
std::optional<HeadError> read_host(const Announced& announced, RequestFacts& head) {
    if (announced.hosts > 1) return HeadError::several_hosts;
    if (announced.hosts == 0) {
        if (head.minor_version == 1) return HeadError::missing_host;
        return std::nullopt;
    }
    const auto authority = Authority::parse(announced.host);
    if (!authority) return HeadError::bad_host;
    if (head.form != TargetForm::absolute) head.authority = *authority;
    return std::nullopt;
}

std::optional<HeadError> read_meaning(RequestHead& head) {
    const Announced announced = read_announced(head.fields);
    if (const auto error = read_host(announced, head)) return error;
    const auto body = announced_body(announced, head.minor_version);
    if (!body) return body.error();
    head.framing = body->value_or(Framing::none());

    const bool upgrades = head.minor_version == 1 && announced.upgrade;  // RFC 9110 section 7.8: ignored on HTTP/1.0
    const bool has_body = head.framing != Framing::none() && head.framing != Framing::of_length(0);
    head.wants_websocket = upgrades && announced.websocket && head.method == Method::get && !has_body;
    head.keep_alive = announced.persistent(head.minor_version);
    head.expect_continue = announced.expect_continue && head.minor_version == 1;
    head.connection_lists = announced.lists_fields;
    head.binds_connection = announced.binds_connection;
    return std::nullopt;
}

}  // namespace

HeadResult parse_request(Bytes bytes, RequestHead& head) {
    static_cast<RequestFacts&>(head) = {};
    head.fields.clear();

    Scanner scan(bytes);
    if (scan.starts_with(tls_handshake))
        scan.refuse(HeadError::tls_hello);
    else if (scan.blank_lines(max_blank_lines) && read_request_line(scan, head) && scan.fields(head.fields)) {
        const auto error = read_meaning(head);
        if (!error) return scan.complete();
        scan.refuse(*error);
    }
    HeadResult result = scan.result();
    if (result.refused() && proxy::begins_like_header(bytes)) result.error = HeadError::proxy_header;
    return result;
}

}  // namespace sallyport::http
