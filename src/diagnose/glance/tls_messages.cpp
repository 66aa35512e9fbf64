#include "diagnose/glance/tls_messages.hpp"

#include <algorithm>

namespace sallyport::diagnose {

namespace {

constexpr std::uint8_t client_hello_type = 1, certificate_type = 11;
constexpr std::size_t message_head = 4;  // bytes: type, length
constexpr std::uint16_t session_ticket = 35, pre_shared_key = 41;
constexpr std::size_t shortest_session = 16;  // bytes: less may be the same by chance

}  // namespace

void TlsMessages::feed(Bytes content) {
    if (stopped_) return;
    if (bytes_.size() + content.size() > max_handshake_bytes) return stop();
    bytes_ += as_text(content);
}

void TlsMessages::stop() {
    stopped_ = true;
    bytes_ = {};
}

std::optional<Bytes> TlsMessages::certificate() const {
    ByteReader reader(as_bytes(bytes_));
    if (reader.u8() != certificate_type) return std::nullopt;
    const auto message = reader.u24();
    auto list = message ? reader.sub(std::min<std::size_t>(*message, reader.remaining())) : std::nullopt;
    if (!list || !list->u24()) return std::nullopt;
    const auto length = list->u24();
    return length && *length > 0 ? list->take(*length) : std::nullopt;
}

std::optional<Bytes> TlsMessages::client_hello() const {
    ByteReader reader(as_bytes(bytes_));
    if (reader.u8() != client_hello_type) return std::nullopt;
    const auto length = reader.u24();
    return length ? reader.take(*length) : std::nullopt;
}

bool TlsMessages::next() {
    ByteReader reader(as_bytes(bytes_));
    reader.u8();
    const auto length = reader.u24();
    if (!length || reader.remaining() < *length) return false;
    bytes_.erase(0, message_head + *length);
    return true;
}

// RFC 8446 section 4.1.2: version, random, session id, cipher suites, compression methods, extensions.
std::optional<Resumption> resumption_in(Bytes client_hello) {
    ByteReader body(client_hello);
    if (!body.take(34)) return std::nullopt;
    const auto session_size = body.u8();
    const auto session = session_size ? body.take(*session_size) : std::nullopt;
    const auto suites_size = body.u16();
    if (!session || !suites_size || !body.take(*suites_size)) return std::nullopt;
    const auto compressions_size = body.u8();
    if (!compressions_size || !body.take(*compressions_size) || !body.u16()) return std::nullopt;
    while (body.remaining() >= 4) {
        const auto type = *body.u16();
        auto extension = body.sub(*body.u16());
        if (!extension) break;
        if (type == session_ticket && extension->remaining() >= shortest_session)
            return Resumption{.kind = "TLS session ticket", .value = std::string(as_text(extension->rest()))};
        if (type != pre_shared_key) continue;
        extension->u16();  // of all identities
        const auto size = extension->u16();
        const auto identity = size ? extension->take(*size) : std::nullopt;
        if (identity && identity->size() >= shortest_session)
            return Resumption{.kind = "TLS session ticket", .value = std::string(as_text(*identity))};
    }
    if (session->size() < shortest_session) return std::nullopt;
    return Resumption{.kind = "TLS session", .value = std::string(as_text(*session))};
}

}  // namespace sallyport::diagnose
