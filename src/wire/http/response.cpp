// The head of a response: status line (RFC 9112 section 4), then what its fields say together.
#include "wire/http/framing.hpp"
#include "wire/http/head.hpp"
#include "wire/http/scanner.hpp"

namespace sallyport::http {

namespace {

bool read_status(Scanner& scan, ResponseFacts& head) {
    std::string_view digits;
    if (!scan.run(token_set, HeadError::bad_status, digits)) return false;
    unsigned status = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9' || digits.size() != 3) return scan.refuse(HeadError::bad_status);
        status = status * 10 + static_cast<unsigned>(c - '0');
    }
    if (status < 100 || status > 599) return scan.refuse(HeadError::bad_status);
    head.status = static_cast<std::uint16_t>(status);
    return true;
}

bool read_status_line(Scanner& scan, ResponseFacts& head) {
    unsigned major = 0;
    unsigned minor = 0;
    if (!scan.version(major, minor)) return false;
    if (major != 1 || minor > 1) return scan.refuse(HeadError::unsupported_version);
    head.minor_version = static_cast<std::uint8_t>(minor);
    if (!scan.one(' ', HeadError::bad_version) || !read_status(scan, head)) return false;
    // The blank before an empty reason is required, and many small servers leave it out. It frames nothing.
    if (scan.next_is(' ') && (!scan.one(' ', HeadError::bad_status) || !scan.text(head.reason))) return false;
    return scan.line_end(HeadError::control_character);
}

// RFC 9112 section 6.3, first rule: these have no body whatever their fields say.
bool has_no_body(unsigned status, Method asked) {
    return asked == Method::head || status < 200 || status == 204 || status == 304;
}

std::optional<HeadError> read_meaning(ResponseHead& head, Method asked) {
    const Announced announced = read_announced(head.fields);
    const auto body = announced_body(announced, head.minor_version);
    if (!body) return body.error();
    if (*body && (*body)->kind == Framing::Kind::length) head.length = (*body)->length;
    head.framing = has_no_body(head.status, asked) ? Framing::none() : body->value_or(Framing::until_close());
    head.keep_alive = announced.persistent(head.minor_version) && head.framing != Framing::until_close();
    head.switches_to_websocket = head.status == 101 && announced.upgrade && announced.websocket;
    head.connection_lists = announced.lists_fields;
    head.binds_connection = announced.binds_connection;
    return std::nullopt;
}

}  // namespace

HeadResult parse_response(Bytes bytes, Method asked, ResponseHead& head) {
    static_cast<ResponseFacts&>(head) = {};
    head.fields.clear();

    Scanner scan(bytes);
    if (read_status_line(scan, head) && scan.fields(head.fields)) {
        const auto error = read_meaning(head, asked);
        if (!error) return scan.complete();
        scan.refuse(*error);
    }
    return scan.result();
}

}  // namespace sallyport::http
