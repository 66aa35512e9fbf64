#include "gate/http/rewrite.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sallyport::gate::http {

namespace {

using sallyport::http::Authority;
using sallyport::http::Field;
using sallyport::http::FieldKind;
using sallyport::http::Framing;
using sallyport::http::RequestHead;
using sallyport::http::ResponseHead;
using Fields = std::span<const Field>;

template <class... Parts>
void put(ByteWriter& out, Parts... parts) {
    (out.text(parts), ...);
}

void put_number(ByteWriter& out, std::uint64_t number) {
    std::array<char, 20> digits;
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.text({digits.data(), end});
}

void put_authority(ByteWriter& out, const Authority& authority) {
    out.text(authority.host());
    if (const auto port = authority.port()) {
        out.text(":");
        put_number(out, *port);
    }
}

void put_framing(ByteWriter& out, const Framing& framing) {
    switch (framing.kind) {
        case Framing::Kind::length:
            out.text("Content-Length: ");
            put_number(out, framing.length);
            out.text("\r\n");
            break;
        case Framing::Kind::chunked: out.text("Transfer-Encoding: chunked\r\n"); break;
        case Framing::Kind::none:
        case Framing::Kind::until_close: break;
    }
}

void put_extra(ByteWriter& out, std::span<const ExtraField> extra) {
    for (const ExtraField& field : extra) put(out, field.name, ": ", field.value, "\r\n");
}

// Opens one line of a list: its name and all that was received of this kind, ready for one more member.
void open_list(ByteWriter& out, std::string_view name, Fields received, FieldKind kind) {
    put(out, name, ": ");
    for (const Field& field : received) {
        if (field.kind == kind && !field.value.empty()) put(out, field.value, ", ");
    }
}

void put_via(ByteWriter& out, Fields received, unsigned minor_version, std::string_view node) {
    open_list(out, "Via", received, FieldKind::via);
    put(out, minor_version == 0 ? "1.0 " : "1.1 ", node, "\r\n");
}

bool has(Fields fields, FieldKind kind) { return std::ranges::find(fields, kind, &Field::kind) != fields.end(); }

// Which received fields go on besides those that concern nobody but the two ends.
struct Passing {
    bool claims = false;    // who asked
    bool identity = false;  // whose certificate was shown
    bool trailer = false;
};

bool end_to_end(const Field& field) {
    return field.kind == FieldKind::other || field.kind == FieldKind::authentication;
}

// All others are dropped, or written by us.
bool passes(const Field& field, const Passing& passing) {
    switch (field.kind) {
        case FieldKind::trailer: return passing.trailer;
        case FieldKind::identity: return passing.identity;
        case FieldKind::claim:
        case FieldKind::forwarded_host:
        case FieldKind::forwarded_proto: return passing.claims;
        default: return end_to_end(field);
    }
}

template <class Head>
void put_received(ByteWriter& out, const Head& head, const Passing& passing) {
    for (const Field& field : head.fields) {
        if (!passes(field, passing)) continue;
        // What a proxy said about the client can't be taken back by the client's Connection field.
        const bool may_be_named = head.connection_lists && end_to_end(field);
        if (may_be_named && named_in_connection(head.fields, field.name)) continue;
        put(out, field.name, ": ", field.value, "\r\n");
    }
}

void put_forwarded(ByteWriter& out, const RequestHead& head, const Forwarding& forwarding, Fields claims) {
    const bool v6 = forwarding.client.find(':') != std::string_view::npos;
    open_list(out, "Forwarded", claims, FieldKind::forwarded);
    put(out, v6 ? "for=\"[" : "for=", forwarding.client, v6 ? "]\"" : "");
    if (!head.authority.empty()) {
        out.text(";host=\"");
        put_authority(out, head.authority);
        out.text("\"");
    }
    put(out, ";proto=", forwarding.tls ? "https" : "http", "\r\n");
}

// Who asked, for what name, how. A trusted proxy's word on name and scheme passes as received, for it stood nearer.
void put_who_asked(ByteWriter& out, const RequestHead& head, const Forwarding& forwarding) {
    const Fields claims = forwarding.peer_is_trusted ? Fields(head.fields) : Fields();
    open_list(out, "X-Forwarded-For", claims, FieldKind::forwarded_for);
    put(out, forwarding.client, "\r\n");
    if (!has(claims, FieldKind::forwarded_proto)) {
        put(out, "X-Forwarded-Proto: ", forwarding.tls ? "https" : "http", "\r\n");
    }
    if (!has(claims, FieldKind::forwarded_host) && !head.authority.empty()) {
        out.text("X-Forwarded-Host: ");
        put_authority(out, head.authority);
        out.text("\r\n");
    }
    put_forwarded(out, head, forwarding, claims);
}

void put_request_line(ByteWriter& out, const RequestHead& head) {
    put(out, head.method_text, " ", head.path);
    if (head.has_query) put(out, "?", head.query);
    out.text(" HTTP/1.1\r\n");
}

void put_host(ByteWriter& out, const RequestHead& head, std::string_view host) {
    out.text("Host: ");
    if (host.empty())
        put_authority(out, head.authority);
    else
        out.text(host);
    out.text("\r\n");
}

constexpr std::string_view websocket_upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";

void put_status_line(ByteWriter& out, const ResponseHead& head) {
    out.text("HTTP/1.1 ");
    put_number(out, head.status);
    put(out, " ", head.reason, "\r\n");
}

// Content-Length where it says something: of the body that follows, or of the one that GET would have brought.
Framing told_framing(const ResponseHead& head, const Framing& chosen) {
    const bool may_announce = head.status >= 200 && head.status != 204;
    if (chosen == Framing::none() && head.length && may_announce) return Framing::of_length(*head.length);
    return chosen;
}

void put_persistence(ByteWriter& out, const Reply& reply) {
    if (!reply.keep_alive || reply.framing == Framing::until_close())
        out.text("Connection: close\r\n");
    else if (reply.client_minor == 0)
        out.text("Connection: keep-alive\r\n");
}

}  // namespace

void write_request_head(ByteWriter& out, const RequestHead& head, const Forwarding& forwarding) {
    put_request_line(out, head);
    put_host(out, head, forwarding.host);
    put_received(out, head, {.claims = forwarding.peer_is_trusted, .trailer = head.framing == Framing::chunked()});
    put_who_asked(out, head, forwarding);
    put_via(out, head.fields, head.minor_version, forwarding.node);
    put_framing(out, head.framing);
    if (head.expect_continue && forwarding.keep_expect) out.text("Expect: 100-continue\r\n");
    if (head.wants_websocket) out.text(websocket_upgrade);
    put_extra(out, forwarding.extra);
    out.text("\r\n");
}

void write_response_head(ByteWriter& out, const ResponseHead& head, const Reply& reply) {
    put_status_line(out, head);
    put_received(out, head, {.claims = true, .identity = true, .trailer = reply.framing == Framing::chunked()});
    put_via(out, head.fields, head.minor_version, reply.node);
    put_framing(out, told_framing(head, reply.framing));
    if (head.switches_to_websocket)
        out.text(websocket_upgrade);
    else if (head.status >= 200)
        put_persistence(out, reply);
    out.text("\r\n");
}

}  // namespace sallyport::gate::http
