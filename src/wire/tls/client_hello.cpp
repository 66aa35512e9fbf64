#include "wire/tls/client_hello.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace sallyport::tls {

namespace {

constexpr std::uint8_t handshake_record = 22;            // RFC 8446 section 5.1
constexpr std::size_t max_record = std::size_t{1} << 14;  // bytes of a plaintext record
constexpr std::uint8_t client_hello_type = 1;
constexpr std::size_t message_head = 4;  // type and 24 bits of length
constexpr std::uint16_t server_name_extension = 0;
constexpr std::uint16_t protocols_extension = 16;
constexpr std::uint16_t supported_versions_extension = 43;
constexpr std::uint8_t host_name_type = 0;

HelloResult refused(HelloError error) { return {HelloResult::State::refused, error}; }
constexpr HelloResult need_more{};

// Takes the next record's payload off the front. Nothing: it is not whole yet, or `error` says what it is instead.
std::optional<Bytes> next_fragment(ByteReader& records, std::optional<HelloError>& error) {
    ByteReader ahead = records;
    const auto type = ahead.u8();
    if (type && *type != handshake_record) return error = HelloError::not_tls, std::nullopt;
    const auto major = ahead.u8();
    if (major && *major != 3) return error = HelloError::not_tls, std::nullopt;
    const auto minor = ahead.u8();
    const auto length = ahead.u16();
    if (!minor || !length) return std::nullopt;
    // An empty handshake record says nothing and may be sent for ever: RFC 8446 section 5.1 forbids it.
    if (*length == 0 || *length > max_record) return error = HelloError::malformed, std::nullopt;
    const auto fragment = ahead.take(*length);
    if (fragment) records = ahead;
    return fragment;
}

// A host name in its usual letters; anything else is not worth routing by.
bool is_host_name(std::string_view name) {
    return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
        const char lower = to_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    });
}

// RFC 6066 section 3. False: malformed.
bool read_server_name(ByteReader extension, ClientHello& hello) {
    const auto size = extension.u16();
    auto list = size ? extension.sub(*size) : std::nullopt;
    if (!list || !extension.empty() || list->empty()) return false;
    while (!list->empty()) {
        const auto type = list->u8();
        const auto length = list->u16();
        const auto name = type && length ? list->take(*length) : std::nullopt;
        if (!name) return false;
        if (*type != host_name_type) continue;
        if (!hello.server_name.empty() || !is_host_name(as_text(*name))) return false;
        hello.server_name = to_lower(as_text(*name));
    }
    return true;
}

// RFC 7301 section 3.1. False: malformed.
bool read_protocols(ByteReader extension, ClientHello& hello) {
    const auto size = extension.u16();
    auto list = size ? extension.sub(*size) : std::nullopt;
    if (!list || !extension.empty()) return false;
    while (!list->empty()) {
        const auto length = list->u8();
        const auto name = length && *length != 0 ? list->take(*length) : std::nullopt;
        if (!name) return false;
        if (hello.protocols.size() < max_protocols) hello.protocols.emplace_back(as_text(*name));
    }
    return true;
}

// RFC 8446 section 4.2.1. Values that are no version of TLS are there to be passed over (RFC 8701).
void read_versions(ByteReader extension, ClientHello& hello) {
    extension.u8();
    while (const auto version = extension.u16()) {
        if (*version >= 0x0300 && *version <= 0x0304) hello.highest_version = std::max(hello.highest_version, *version);
    }
}

bool read_extensions(ByteReader extensions, ClientHello& hello) {
    bool named = false;
    while (!extensions.empty()) {
        const auto type = extensions.u16();
        const auto size = extensions.u16();
        const auto body = type && size ? extensions.sub(*size) : std::nullopt;
        if (!body) return false;
        if (*type == supported_versions_extension) read_versions(*body, hello);
        if (*type == protocols_extension && !read_protocols(*body, hello)) return false;
        if (*type != server_name_extension) continue;
        if (named || !read_server_name(*body, hello)) return false;
        named = true;
    }
    return true;
}

// RFC 8446 section 4.1.2: version, random, session id, cipher suites, compression methods, extensions.
bool read_body(ByteReader body, ClientHello& hello) {
    const auto version = body.u16();
    if (!version || !body.take(32)) return false;
    hello.highest_version = *version;
    const auto session_size = body.u8();
    if (!session_size || *session_size > 32 || !body.take(*session_size)) return false;
    const auto suites_size = body.u16();
    if (!suites_size || *suites_size < 2 || *suites_size % 2 != 0 || !body.take(*suites_size)) return false;
    const auto compressions_size = body.u8();
    if (!compressions_size || *compressions_size == 0 || !body.take(*compressions_size)) return false;
    if (body.empty()) return true;  // TLS 1.2 without extensions
    const auto size = body.u16();
    const auto extensions = size ? body.sub(*size) : std::nullopt;
    return extensions && body.empty() && read_extensions(*extensions, hello);
}

}  // namespace

std::string_view text(HelloError error) {
    switch (error) {
        case HelloError::not_tls: return "not a TLS handshake";
        case HelloError::not_hello: return "a handshake that does not begin with a ClientHello";
        case HelloError::malformed: return "a malformed ClientHello";
        case HelloError::too_large: return "a ClientHello of more than 16 KiB";
    }
    return "unknown";
}

HelloResult read_client_hello(Bytes bytes, ClientHello& hello) {
    ByteReader records(bytes);
    std::vector<std::byte> message;  // the records' payloads in a row; never more than what has come
    std::optional<HelloError> error;
    for (;;) {
        const auto fragment = next_fragment(records, error);
        if (error) return refused(*error);
        if (!fragment) return need_more;
        message.insert(message.end(), fragment->begin(), fragment->end());
        if (std::to_integer<std::uint8_t>(message[0]) != client_hello_type) return refused(HelloError::not_hello);
        ByteReader reader(message);
        reader.u8();
        const auto length = reader.u24();
        if (length && *length > max_client_hello) return refused(HelloError::too_large);
        if (!length || message.size() < message_head + *length) continue;
        hello = {};
        // Nothing may follow in the same record: the client waits for the server now.
        if (message.size() != message_head + *length || !read_body(ByteReader(reader.rest()), hello)) {
            return refused(HelloError::malformed);
        }
        return {HelloResult::State::complete, {}};
    }
}

}  // namespace sallyport::tls
