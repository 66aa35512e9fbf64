#include "gate/mux.hpp"

#include "gate/gate.hpp"
#include "gate/opening.hpp"
#include "io/peek.hpp"
#include "io/tls.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace sallyport::gate::mux {

namespace {

using io::Peeked;
using telemetry::Reason;

constexpr std::byte tls_handshake{0x16};  // the first byte of every TLS connection (RFC 8446 section 5.1)
constexpr std::size_t most_peeked = 512;  // bytes: no protocol needs as many
constexpr std::size_t shown_bytes = 8;    // of first bytes that nobody knows, in the record

// A request of STUN: its type, its length, and the magic cookie (RFC 8489 section 5). An Allocate of four bytes would
// have no REQUESTED-TRANSPORT: so begins a keep-alive of H.323.
Recognized recognize_turn(Bytes first) {
    constexpr std::array cookie{std::byte{0x21}, std::byte{0x12}, std::byte{0xA4}, std::byte{0x42}};
    constexpr std::array keep_alive{std::byte{0}, std::byte{3}, std::byte{0}, std::byte{4}};
    const auto is = [first](std::size_t at, auto fits) { return at >= first.size() || fits(first[at]); };
    const bool fits = is(0, [](std::byte b) { return b == std::byte{0}; }) &&
                      is(1, [](std::byte b) { return b != std::byte{0} && b < std::byte{0x10}; }) &&
                      is(3, [](std::byte b) { return (b & std::byte{3}) == std::byte{0}; });
    const Bytes behind =
        first.subspan(std::min<std::size_t>(first.size(), 4))
            .first(std::min<std::size_t>(first.size() - std::min<std::size_t>(first.size(), 4), cookie.size()));
    if (!fits || !std::ranges::equal(behind, Bytes(cookie).first(behind.size()))) return Recognized::no;
    if (first.size() >= keep_alive.size() && std::ranges::equal(first.first(keep_alive.size()), keep_alive))
        return Recognized::no;
    return behind.size() == cookie.size() ? Recognized::yes : Recognized::maybe;
}

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

Told tell(Bytes first, bool with_turn) {
    Told told;
    switch (with_turn ? recognize_turn(first) : Recognized::no) {
        case Recognized::yes: return {.is_turn = true};
        case Recognized::maybe: told.undecided = true; break;
        case Recognized::no: break;
    }
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

io::Task<Told> find_protocol(Session& session, io::Stream& client) {
    if (session.tls) {
        Opening opening(session, client, most_peeked);
        const bool secured = co_await opening.secure();
        if (!secured) co_return Told{};
        // Who has agreed on a protocol may take its time to begin: browsers open connections that they need later.
        const std::string_view agreed = client.tls()->agreed_protocol();
        if (agreed == "http/1.1") co_return Told{.dialect = dialect_of(config::Protocol::http)};
        if (!agreed.empty()) co_return Told{.is_turn = true};  // there is no other
    }
    const bool with_turn = session.gate.snapshot()->routing->config().mux_takes_turn();
    Told told;
    std::size_t received = 0;
    std::string unknown;
    bool proxy_header = false;
    const auto look = [&](Bytes first) {
        received = first.size();
        told = tell(first, with_turn);
        if (!told.is_known() && !told.undecided) {
            unknown = in_hex(first);
            proxy_header = sallyport::proxy::begins_like_header(first);
        }
        return told.is_known() || !told.undecided;
    };
    const io::Deadline deadline = client.loop().in(Opening::whole_message_within);
    const Peeked peeked = co_await peek_until(client, most_peeked, deadline, look);
    if (told.is_known()) co_return told;
    if (peeked != Peeked::enough)
        end_untold(session, client, peeked, received);
    else if (proxy_header)
        end(session, client, Reason::proxy_untrusted, sallyport::proxy::unexpected, received);
    else
        end(session, client, Reason::protocol_mismatch, "first bytes: " + unknown, received);
    co_return Told{};
}

}  // namespace sallyport::gate::mux
