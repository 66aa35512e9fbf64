#include "wire/http/framing.hpp"

#include "base/text.hpp"

namespace sallyport::http {

namespace {

constexpr std::uint64_t length_limit = std::uint64_t{1} << 63;  // exclusive: others count bytes in signed 64 bits

void read_connection(std::string_view list, Announced& out) {
    while (const auto member = next_member(list)) {
        if (equals_ignoring_case(*member, "close"))
            out.close = true;
        else if (equals_ignoring_case(*member, "keep-alive"))
            out.keep_alive = true;
        else if (equals_ignoring_case(*member, "upgrade"))
            out.upgrade = true;
        else
            out.lists_fields = true;
    }
}

// RFC 4559 section 6, and NTLM, which no RFC has: whoever speaks on the connection afterwards is taken for this client.
bool binds_connection(std::string_view authentication) {
    const std::string_view scheme = authentication.substr(0, authentication.find_first_of(" ,"));
    return equals_ignoring_case(scheme, "NTLM") || equals_ignoring_case(scheme, "Negotiate");
}

std::optional<std::uint64_t> read_length(std::string_view text) {
    const auto length = parse_number<std::uint64_t>(text);
    return length && *length < length_limit ? length : std::nullopt;
}

}  // namespace

Announced read_announced(const FieldList& fields) {
    Announced out;
    for (const Field& field : fields) {
        switch (field.kind) {
            case FieldKind::host: ++out.hosts, out.host = field.value; break;
            case FieldKind::content_length: ++out.lengths, out.length = field.value; break;
            case FieldKind::transfer_encoding: ++out.encodings, out.encoding = field.value; break;
            case FieldKind::connection: read_connection(field.value, out); break;
            case FieldKind::upgrade: out.websocket |= has_member(field.value, "websocket"); break;
            case FieldKind::authentication: out.binds_connection |= binds_connection(field.value); break;
            case FieldKind::expect: out.expect_continue |= equals_ignoring_case(field.value, "100-continue"); break;
            default: break;
        }
    }
    return out;
}

Result<std::optional<Framing>, HeadError> announced_body(const Announced& announced, unsigned minor_version) {
    if (announced.encodings > 0) {
        if (announced.lengths > 0) return fail(HeadError::length_and_encoding);
        if (minor_version == 0) return fail(HeadError::encoding_on_1_0);
        const bool chunked = announced.encodings == 1 && equals_ignoring_case(announced.encoding, "chunked");
        if (!chunked) return fail(HeadError::bad_encoding);
        return Framing::chunked();
    }
    if (announced.lengths == 0) return std::nullopt;
    if (announced.lengths > 1) return fail(HeadError::several_lengths);
    const auto length = read_length(announced.length);
    if (!length) return fail(HeadError::bad_length);
    return Framing::of_length(*length);
}

}  // namespace sallyport::http
