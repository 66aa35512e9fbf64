// Whether a TCP connection may come in: who it is by a PROXY header, bans, and its client's share of all connections.
#include "io/peek.hpp"
#include "telemetry/record.hpp"
#include "turn/turn_loop.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <chrono>

namespace sallyport::turn {

using namespace std::chrono_literals;
using telemetry::Reason;

namespace {

constexpr Duration header_within = 10s;

}  // namespace

// None: it has been told why, and the connection ends. `client` becomes whom the header names.
io::Task<listeners::ClientPlace> TurnLoop::admit(io::Stream& stream, SocketAddress& client,
                                                 const std::string& listener) {
    std::optional<Refusal> refusal;
    if (server_.settings().proxy_from.contains(client.ip)) refusal = co_await learn_client(stream, client);
    if (!refusal && guard_.banned(client.ip)) refusal = Refusal{Reason::ban_active, ""};
    if (!refusal) {
        const auto most = listeners::ClientCounts::share_of(server_.settings().connections_per_client, capacity_);
        if (listeners::ClientPlace place(*clients_, client.ip, most); place) co_return place;
        refusal = Refusal{Reason::limit_client, "at most " + std::to_string(most)};
    }
    if (refusal->reason != Reason::ok) refuse(client, listener, *refusal);
    stream.reset();
    co_return listeners::ClientPlace();
}

// A refusal whose reason is ok has no record: a health check of the balancer, that said nothing.
io::Task<std::optional<TurnLoop::Refusal>> TurnLoop::learn_client(io::Stream& stream, SocketAddress& client) {
    proxy::Header header;
    proxy::HeaderResult result;
    const auto read = [&](Bytes bytes) {
        result = proxy::read_header(bytes, header);
        return result.state != proxy::HeaderResult::State::need_more;
    };
    const io::Peeked peeked = co_await io::peek_until(stream, proxy::max_header, loop_.in(header_within), read);
    switch (peeked) {
        case io::Peeked::enough: break;
        case io::Peeked::silent:
        case io::Peeked::cancelled: co_return Refusal{Reason::ok, ""};
        case io::Peeked::late: co_return Refusal{Reason::peek_timeout, "no whole PROXY header came"};
        case io::Peeked::ended: co_return Refusal{Reason::client_closed, "in the middle of the PROXY header"};
        case io::Peeked::too_much: co_return Refusal{Reason::proxy_malformed, "longer than any header"};
    }
    if (result.state == proxy::HeaderResult::State::refused)
        co_return Refusal{Reason::proxy_malformed, std::string(text(result.error))};
    stream.read(loop_.buffer().first(result.length));  // it is there: it was just looked at
    if (!header.local) client = header.source;
    co_return std::nullopt;
}

void TurnLoop::refuse(const SocketAddress& client, const std::string& listener, const Refusal& refusal) {
    const telemetry::Record record{.time = loop_.wall(),
                                   .protocol = telemetry::Protocol::turn,
                                   .listener = listener,
                                   .client = client,
                                   .service = {},
                                   .looked_for = {},
                                   .nearest = {},
                                   .target = {},
                                   .verdict = telemetry::Verdict::refused,
                                   .reason = refusal.reason,
                                   .method = {},
                                   .url = {},
                                   .detail = refusal.detail};
    counters_.ended(record);
    reporter_.report(record);
}

}  // namespace sallyport::turn
