// One try of one target: connect to its ports, shake hands, ask a question.
#include "gate/proxy_header.hpp"
#include "gate/targets/connect.hpp"
#include "gate/targets/health.hpp"
#include "net/dial.hpp"
#include "wire/http/head.hpp"

#include <cstring>
#include <memory>
#include <vector>

namespace sallyport::gate {

namespace {

using config::HealthCheck;
using telemetry::Reason;

constexpr std::size_t most_answer_head = std::size_t{16} * 1024;

struct Leg {
    std::uint16_t port;
    bool tls;
};

std::vector<Leg> legs_to_try(const config::Service& settings) {
    std::vector<Leg> legs;
    const HealthCheck::Kind kind = settings.health.kind;
    // Traffic that is passed on unopened leaves the handshake to its clients.
    const bool as_traffic = kind == HealthCheck::Kind::none && settings.protocol != config::Protocol::tls;
    const bool handshake = as_traffic || kind == HealthCheck::Kind::tls || kind == HealthCheck::Kind::http;
    if (settings.plain_port && kind != HealthCheck::Kind::tls) legs.push_back({*settings.plain_port, false});
    const bool one_is_enough = kind == HealthCheck::Kind::http && !legs.empty();
    if (settings.tls_port && !one_is_enough) legs.push_back({*settings.tls_port, handshake});
    return legs;
}

// What a service is asked for by; a wildcard is no name to ask for.
std::string name_to_ask_for(const Service& service, const config::Target& target) {
    return service.name.starts_with("*.") ? target.text : service.name;
}

std::string question(const Service& service, const config::Target& target) {
    return "GET " + service.settings->health.path + " HTTP/1.1\r\nHost: " + name_to_ask_for(service, target) +
           "\r\nUser-Agent: sallyport-health\r\nConnection: close\r\n\r\n";
}

Reason judge(Bytes answer, std::string& detail, bool& whole) {
    const auto head = std::make_unique<sallyport::http::ResponseHead>();
    const auto read = parse_response(answer, sallyport::http::Method::get, *head);
    whole = !read.need_more();
    if (read.refused()) detail = text(read.error);
    if (!read.complete()) return Reason::target_malformed;
    detail = "it answered " + std::to_string(head->status);
    return head->status < 400 ? Reason::ok : Reason::target_rejected;
}

io::Task<Reason> ask(io::Stream& stream, std::string request, io::Deadline deadline, std::string& detail) {
    const io::Wait sent = co_await stream.write_all(std::move(request), deadline);
    if (sent != io::Wait::ready) co_return sent == io::Wait::timeout ? Reason::target_stalled : Reason::target_closed;
    std::vector<std::byte> answer;
    while (answer.size() < most_answer_head) {
        const io::Got got = co_await stream.read_some(stream.loop().buffer().first(most_answer_head), deadline);
        if (got.io == io::Io::again) co_return Reason::target_stalled;
        if (got.io != io::Io::ok) co_return Reason::target_closed;
        const Bytes more = Bytes(stream.loop().buffer()).first(got.bytes);
        answer.insert(answer.end(), more.begin(), more.end());
        bool whole = false;
        const Reason judged = judge(answer, detail, whole);
        if (whole) co_return judged;
    }
    detail = "its answer's head is larger than 16 KiB";
    co_return Reason::target_malformed;
}

io::Task<Reason> try_leg(io::Loop& loop, io::Cancellation& cancellation, const LoopSnapshot& snapshot,
                         const Service& service, const config::Target& target, Leg leg, const net::NameTable* names,
                         std::string& detail) {
    const config::Service& settings = *service.settings;
    const io::Deadline deadline = loop.in(settings.connect_timeout);
    net::DialPlan plan = plan_for(settings, target, leg.port, names);
    if (plan.addresses.empty()) co_return Reason::target_unresolved;
    auto stream = co_await net::dial(loop, cancellation, std::move(plan), deadline);
    detail = "port " + std::to_string(leg.port);
    if (!stream) {
        if (stream.error().error != 0) detail += std::string(": ") + std::strerror(stream.error().error);
        co_return reason_of(stream.error().failure);
    }
    if (settings.proxy_protocol != config::ProxyProtocol::none)
        stream->write(as_bytes(write_local_proxy_header(settings.proxy_protocol)));
    if (leg.tls) {
        const bool by_name = target.kind == config::Target::Kind::host;
        stream->attach(snapshot.tls_clients[service.index]->connect(
            by_name ? target.text
                    : (service.name.starts_with("*.") ? std::string()
                                                      : std::string(host_in(settings.protocol, service.name)))));
        const io::Handshake shaken = co_await io::handshake(*stream, deadline);
        if (shaken.failure != io::TlsFailure::none) {
            detail += ": " + shaken.detail;
            co_return shaken.failure == io::TlsFailure::timeout ? Reason::target_timeout : Reason::target_tls;
        }
    }
    if (settings.health.kind != HealthCheck::Kind::http) co_return Reason::ok;
    co_return co_await ask(*stream, question(service, target), deadline, detail);
}

}  // namespace

io::Task<Reason> try_once(io::Loop& loop, io::Cancellation& cancellation, const LoopSnapshot& snapshot,
                          const Service& service, std::size_t target, const net::NameTable* names,
                          std::string& detail) {
    detail.clear();
    for (const Leg leg : legs_to_try(*service.settings)) {
        const Reason result = co_await try_leg(loop, cancellation, snapshot, service,
                                               service.settings->targets[target].value, leg, names, detail);
        if (result != Reason::ok) co_return result;
    }
    detail.clear();
    co_return Reason::ok;
}

}  // namespace sallyport::gate
