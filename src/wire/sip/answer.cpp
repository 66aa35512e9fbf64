#include "wire/sip/answer.hpp"

#include "base/text.hpp"
#include "wire/sip/text.hpp"
#include "wire/sip/uri.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace sallyport::sip {

namespace {

struct Phrase {
    unsigned status;
    std::string_view text;
};

constexpr Phrase phrases[] = {
    {200, "OK"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {408, "Request Timeout"},
    {413, "Request Entity Too Large"},
    {414, "Request-URI Too Long"},
    {416, "Unsupported URI Scheme"},
    {421, "Extension Required"},
    {480, "Temporarily Unavailable"},
    {481, "Call/Transaction Does Not Exist"},
    {500, "Server Internal Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Server Time-out"},
    {505, "Version Not Supported"},
    {513, "Message Too Large"},
};

// A value on one line: a fold means a blank.
void write_unfolded(ByteWriter& out, std::string_view value) {
    while (!value.empty()) {
        const std::size_t line = std::min(value.find('\r'), value.size());
        out.text(value.substr(0, line));
        value.remove_prefix(line);
        if (value.empty()) return;
        out.text(" ");
        skip_white(value);
    }
}

void write_field(ByteWriter& out, std::string_view name, std::string_view value) {
    out.text(name);
    out.text(": ");
    write_unfolded(out, value);
    out.text("\r\n");
}

std::string address_text(const IpAddress& address) {
    return address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
}

// Are these the parameters of a Via, up to its end? Then each can be written anew.
bool are_parameters(std::string_view text) {
    while (next_parameter(text)) {}
    return trim_white(text).empty();
}

// The topmost Via with where the request came from. What the client itself claimed to be received from is left away.
void write_received_via(ByteWriter& out, std::string_view via, const SocketAddress& client) {
    const std::size_t semicolon = std::min(via.find(';'), via.size());
    write_unfolded(out, trim_white(via.substr(0, semicolon)));
    std::string_view parameters = via.substr(semicolon);
    while (const auto parameter = next_parameter(parameters)) {
        if (equals_ignoring_case(parameter->name, "received")) continue;
        out.text(";");
        out.text(parameter->name);
        const bool asks_port = !parameter->has_value && equals_ignoring_case(parameter->name, "rport");
        if (!parameter->has_value && !asks_port) continue;
        out.text("=");
        if (asks_port)
            out.text(std::to_string(client.port));
        else
            write_unfolded(out, parameter->value);
    }
    out.text(";received=");
    out.text(address_text(client.ip));
}

void write_top_via(ByteWriter& out, std::string_view value, const SocketAddress& client) {
    std::string_view rest = value;
    const std::string_view top = next_member(rest).value_or(std::string_view());
    if (!are_parameters(top.substr(std::min(top.find(';'), top.size())))) return write_field(out, "Via", value);
    out.text("Via: ");
    write_received_via(out, top, client);
    if (!trim_white(rest).empty()) {
        out.text(", ");
        write_unfolded(out, trim_white(rest));
    }
    out.text("\r\n");
}

void write_vias(ByteWriter& out, const Message& request, const Answer& answer) {
    bool top = true;
    for (const Field& field : request.fields) {
        if (field.kind != FieldKind::via) continue;
        if (top && answer.client)
            write_top_via(out, field.value, *answer.client);
        else
            write_field(out, "Via", field.value);
        top = false;
    }
}

void write_to(ByteWriter& out, std::string_view value, std::string_view tag) {
    Address address;
    const bool add_tag = parse_address(value, address) && address.tag.empty() && !tag.empty();
    out.text("To: ");
    write_unfolded(out, value);
    if (add_tag) {
        out.text(";tag=");
        out.text(tag);
    }
    out.text("\r\n");
}

// A quoted string; what it can't hold becomes '?'.
void write_quoted(ByteWriter& out, std::string_view text) {
    out.text("\"");
    for (const char c : text) {
        if (c == '"' || c == '\\') out.text("\\");
        out.u8(static_cast<std::uint8_t>(is_in(text_set, c) ? c : '?'));
    }
    out.text("\"");
}

struct Copied {
    FieldKind kind;
    std::string_view name;
};

constexpr Copied copied_behind_to[] = {{FieldKind::call_id, "Call-ID"}, {FieldKind::cseq, "CSeq"}};

}  // namespace

std::string_view reason_phrase(unsigned status) {
    const auto* at = std::ranges::find(phrases, status, &Phrase::status);
    return at == std::end(phrases) ? std::string_view() : at->text;
}

bool wants_answer(const Message& message) { return message.is_request() && message.method != "ACK"; }

void write_answer(ByteWriter& out, const Message& request, const Answer& answer) {
    out.text("SIP/2.0 ");
    out.text(std::to_string(answer.status));
    out.text(" ");
    out.text(reason_phrase(answer.status));
    out.text("\r\n");

    write_vias(out, request, answer);
    if (const Field* from = find(request.fields, FieldKind::from)) write_field(out, "From", from->value);
    if (const Field* to = find(request.fields, FieldKind::to)) write_to(out, to->value, answer.tag);
    for (const Copied& copied : copied_behind_to) {
        if (const Field* field = find(request.fields, copied.kind)) write_field(out, copied.name, field->value);
    }
    if (answer.retry_after) write_field(out, "Retry-After", std::to_string(*answer.retry_after));
    if (!answer.warning.empty()) {
        out.text("Warning: 399 ");
        out.text(answer.agent);
        out.text(" ");
        write_quoted(out, answer.warning);
        out.text("\r\n");
    }
    out.text("Content-Length: 0\r\n\r\n");
}

}  // namespace sallyport::sip
