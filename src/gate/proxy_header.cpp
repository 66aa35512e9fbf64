#include "gate/proxy_header.hpp"

#include "gate/gate.hpp"
#include "io/peek.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <array>
#include <chrono>

namespace sallyport::gate {

namespace {

using io::Peeked;
using namespace std::chrono_literals;
using telemetry::Reason;

constexpr Duration header_within = 10s;

proxy::Version version_of(config::ProxyProtocol version) {
    return version == config::ProxyProtocol::v1 ? proxy::Version::v1 : proxy::Version::v2;
}

}  // namespace

io::Task<ProxyHeaderRead> read_proxy_header(Session& session, io::Stream& client) {
    proxy::Header header;
    proxy::HeaderResult result;
    const auto read = [&](Bytes bytes) {
        result = proxy::read_header(bytes, header);
        return result.state != proxy::HeaderResult::State::need_more;
    };
    const io::Deadline deadline = client.loop().in(header_within);
    const Peeked peeked = co_await peek_until(client, proxy::max_header, deadline, read);
    switch (peeked) {
        case Peeked::enough: break;
        case Peeked::silent: co_return ProxyHeaderRead{.silent = true};
        case Peeked::late: co_return ProxyHeaderRead{Reason::peek_timeout, "no whole PROXY header came"};
        case Peeked::cancelled: co_return ProxyHeaderRead{session.ended_by, ""};
        case Peeked::ended: co_return ProxyHeaderRead{Reason::client_closed, "in the middle of the PROXY header"};
        case Peeked::too_much: co_return ProxyHeaderRead{Reason::proxy_malformed, "longer than any header"};
    }
    if (result.state == proxy::HeaderResult::State::refused)
        co_return ProxyHeaderRead{Reason::proxy_malformed, std::string(text(result.error))};
    client.read(client.loop().buffer().first(result.length));  // it is there: it was just looked at
    if (!header.local) {
        session.client = header.source;
        session.told_own = header.destination;
    }
    co_return ProxyHeaderRead{};
}

SocketAddress reached_at(const Session& session, const io::Stream& client) {
    return session.told_own.port != 0 ? session.told_own : io::local_address(client.fd());
}

std::string write_proxy_header(config::ProxyProtocol version, const SocketAddress& client, const SocketAddress& own) {
    std::array<std::byte, proxy::max_header> room;
    ByteWriter out(room);
    proxy::write_header(out, version_of(version), client, own);
    return std::string(as_text(out.written()));
}

std::string write_local_proxy_header(config::ProxyProtocol version) {
    std::array<std::byte, proxy::max_header> room;
    ByteWriter out(room);
    proxy::write_local_header(out, version_of(version));
    return std::string(as_text(out.written()));
}

}  // namespace sallyport::gate
