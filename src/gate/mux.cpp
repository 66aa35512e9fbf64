#include "gate/mux.hpp"

#include "gate/opening.hpp"
#include "io/peek.hpp"
#include "io/tls.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <algorithm>
#include <chrono>
#include <string>

namespace sallyport::gate::mux {

namespace {

using io::Peeked;
using telemetry::Reason;

constexpr std::byte tls_handshake{0x16};  // the first byte of every TLS connection (RFC 8446 section 5.1)
constexpr std::size_t most_peeked = 512;  // bytes: no protocol needs as many
constexpr std::size_t shown_bytes = 8;    // of first bytes that nobody knows, in the record

const Dialect* dialect_of(config::Protocol word) {
    const auto all = dialects();
    const auto at = std::ranges::find(all, word, &Dialect::word);
    return at == all.end() ? nullptr : &*at;
}

// "48 65 6c 6c 6f": what an admin compares with a capture.
std::string in_hex(Bytes bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (const std::byte b : bytes.first(std::min(bytes.size(), shown_bytes))) {
        if (!out.empty()) out += ' ';
        out += digits[std::to_integer<std::size_t>(b >> 4)];
        out += digits[std::to_integer<std::size_t>(b & std::byte{0x0F})];
    }
    return out;
}

void end(Session& session, io::Stream& client, Reason reason, std::string_view detail, std::size_t received) {
    report_refusal(session, {.reason = reason, .detail = detail, .tls_client = session.tls, .bytes_in = received},
                   session.since);
    client.reset();  // nothing is known of the peer's protocol: a reset is understood in all
}

// What a connection has come to that ended before it could be told. Who never said a byte has no story.
void end_untold(Session& session, io::Stream& client, Peeked peeked, std::size_t received) {
    switch (peeked) {
        case Peeked::enough:
        case Peeked::silent: return;
        case Peeked::ended:
            return end(session, client, Reason::client_closed, "before its protocol was told", received);
        case Peeked::too_much: return end(session, client, Reason::protocol_mismatch, "", received);
        case Peeked::late:
            return end(session, client, Reason::peek_timeout,
                       received == 0 ? "not a byte came" : "its protocol can't be told by what came", received);
        case Peeked::cancelled:
            if (received > 0) end(session, client, session.ended_by, "before its protocol was told", received);
    }
}

}  // namespace

Told tell(Bytes first) {
    Told told;
    for (const Dialect& dialect : dialects()) {
        switch (dialect.recognize(first)) {
            case Recognized::yes: return {.dialect = &dialect};
            case Recognized::maybe: told.undecided = true; break;
            case Recognized::no: break;
        }
    }
    return told;
}

io::Task<bool> look_for_tls(Session& session, io::Stream& client) {
    const io::Deadline deadline = client.loop().in(Opening::first_byte_within);
    const auto look = [&session](Bytes first) {
        session.tls = first.front() == tls_handshake;
        return true;
    };
    const Peeked peeked = co_await peek_until(client, 1, deadline, look);
    if (peeked != Peeked::enough) end_untold(session, client, peeked, 0);
    co_return peeked == Peeked::enough;
}

io::Task<const Dialect*> find_dialect(Session& session, io::Stream& client) {
    if (session.tls) {
        Opening opening(session, client, most_peeked);
        const bool secured = co_await opening.secure();
        if (!secured) co_return nullptr;
        // Who has agreed to speak HTTP may take its time to begin: browsers open connections that they need later.
        if (client.tls()->agreed_protocol() == "http/1.1") co_return dialect_of(config::Protocol::http);
    }
    Told told;
    std::size_t received = 0;
    std::string unknown;
    bool proxy_header = false;
    const auto look = [&](Bytes first) {
        received = first.size();
        told = tell(first);
        if (told.dialect == nullptr && !told.undecided) {
            unknown = in_hex(first);
            proxy_header = sallyport::proxy::begins_like_header(first);
        }
        return told.dialect != nullptr || !told.undecided;
    };
    const io::Deadline deadline = client.loop().in(Opening::whole_message_within);
    const Peeked peeked = co_await peek_until(client, most_peeked, deadline, look);
    if (told.dialect != nullptr) co_return told.dialect;
    if (peeked != Peeked::enough)
        end_untold(session, client, peeked, received);
    else if (proxy_header)
        end(session, client, Reason::proxy_untrusted, sallyport::proxy::unexpected, received);
    else
        end(session, client, Reason::protocol_mismatch, "first bytes: " + unknown, received);
    co_return nullptr;
}

}  // namespace sallyport::gate::mux
