#include "push/resolve.hpp"

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "dns/examine.hpp"
#include "io/sockets.hpp"
#include "io/udp.hpp"
#include "wire/dns/answer.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::push {

namespace {

using namespace std::chrono_literals;
using State = HostAnswer::State;

constexpr Duration answered_within = 1s;
constexpr int rounds = 2;
constexpr std::size_t most_of_chain = 8;  // CNAMEs
constexpr std::uint32_t longest_ttl = 300;  // seconds: Apple's are 60 and less
constexpr std::uint32_t longest_negative_ttl = 60;  // a courier that is new is not kept waiting, whatever its zone says
constexpr std::uint32_t half_ttl = 5;  // where the server told of one kind of address and was silent about the other

std::optional<IpAddress> address_of(Bytes message, const dns::Record& record) {
    ByteReader data(message.subspan(record.rdata, record.size));
    if (record.type == dns::type::a && record.size == 4) return IpAddress::v4(*data.u32());
    if (record.type != dns::type::aaaa || record.size != 16) return std::nullopt;
    std::array<std::uint8_t, 16> octets{};
    for (std::uint8_t& octet : octets) octet = *data.u8();
    return IpAddress::v6(octets);
}

std::uint16_t random_id() {
    std::array<std::byte, 2> octets{};
    crypto::fill_random(octets);
    return *ByteReader(octets).u16();
}

}  // namespace

std::vector<SocketAddress> servers_of_system(std::string_view resolv_conf) {
    constexpr std::string_view word = "nameserver";
    constexpr std::uint16_t dns_port = 53;
    std::vector<SocketAddress> out;
    while (!resolv_conf.empty()) {
        const std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
        resolv_conf.remove_prefix(std::min(line.size() + 1, resolv_conf.size()));
        if (!line.starts_with(word)) continue;
        if (const auto address = IpAddress::parse(trim(line.substr(word.size())))) out.push_back({*address, dns_port});
    }
    return out;
}

std::vector<std::byte> write_host_query(std::uint16_t id, std::string_view host, std::uint16_t type) {
    const auto name = dns::Name::parse(host);
    if (!name) return {};
    std::vector<std::byte> out(dns::header_size + name->wire().size() + 4 + dns::opt_size);
    ByteWriter writer(out);
    writer.u16(id);
    writer.u16(dns::flag::recursion_desired);
    for (const auto count : std::array<std::uint16_t, 4>{1, 0, 0, 1}) writer.u16(count);
    writer.bytes(name->wire());
    writer.u16(type);
    writer.u16(dns::class_in);
    dns::write_opt(writer, dns::udp_payload, 0, false, {});
    return out;
}

std::optional<HostAnswer> read_host_answer(Bytes query, Bytes message) {
    const auto asked = dns::read_header(query);
    const auto response = dns::read_response(message);
    if (!asked || !response || asked->id != response->header.id) return std::nullopt;
    const auto name_end = dns::skip_plain_name(query, dns::header_size);
    if (!name_end) return std::nullopt;
    const Bytes question = query.subspan(dns::header_size, *name_end + 4 - dns::header_size);
    const Bytes name = question.first(question.size() - 4);
    const bool same = response->question.size() == question.size() &&
                      dns::same_name(response->question.first(name.size()), name) &&
                      std::ranges::equal(response->question.last(4), question.last(4));
    if (!same) return std::nullopt;

    HostAnswer out{.ttl = longest_ttl};
    const auto rcode = static_cast<dns::Rcode>(response->header.flags & dns::flag::rcode);
    if (rcode == dns::Rcode::nx_domain) {
        const std::uint32_t holds = dns::examine(message, *response).lifetime.value_or(0);  // 0: without an SOA
        return HostAnswer{.state = State::absent, .ttl = std::min(holds, longest_negative_ttl)};
    }
    if (rcode != dns::Rcode::no_error)
        return HostAnswer{.detail = "answers " + dns::rcode_name(static_cast<std::uint16_t>(rcode))};
    out.state = State::exists;
    auto owner = dns::Name::from_wire(name);
    if (!owner) return std::nullopt;
    std::size_t links = 0;
    dns::RecordReader records(message, response->header, response->records_at());
    while (const auto record = records.next()) {
        if (record->section != dns::Record::Section::answer || record->rclass != dns::class_in) continue;
        const auto of = dns::read_name(message, record->owner);
        if (!of) return std::nullopt;
        if (!dns::same_name(of->name.wire(), owner->wire())) continue;
        if (record->type == dns::type::cname && ++links <= most_of_chain) {
            const auto next = dns::read_name(message, record->rdata);
            if (!next) return std::nullopt;
            owner = next->name;
        } else if (const auto address = address_of(message, *record);
                   address && out.addresses.size() < most_addresses) {
            out.addresses.push_back(*address);
        } else {
            continue;
        }
        out.ttl = std::min(out.ttl, record->ttl);
    }
    if (!out.addresses.empty()) return out;
    if (response->header.has(dns::flag::truncated)) return HostAnswer{.detail = "answers in part"};
    out.ttl = std::min(out.ttl, longest_negative_ttl);
    return out;
}

HostAnswer joined(const std::array<std::optional<HostAnswer>, 2>& answers) {
    HostAnswer out{.detail = "does not answer"};
    bool whole = true;
    for (const auto& answer : answers) {
        const bool failed = !answer || answer->state == State::failed;
        whole = whole && !failed;
        if (answer && failed && out.state == State::failed) out.detail = answer->detail;
        if (failed) continue;
        if (out.state == State::failed) out = HostAnswer{.state = answer->state, .ttl = answer->ttl};
        out.ttl = std::min(out.ttl, answer->ttl);
        out.addresses.insert(out.addresses.end(), answer->addresses.begin(), answer->addresses.end());
    }
    if (whole || out.state == State::absent) return out;  // a name that is not has no addresses of either kind
    if (out.state == State::exists && out.addresses.empty())
        return HostAnswer{.detail = "knows none of one kind of address, and does not tell of the other"};
    out.ttl = std::min(out.ttl, half_ttl);
    return out;
}

namespace {

// Both questions to one server, on a port of their own that nobody can guess.
io::Task<HostAnswer> ask_server(io::Loop& loop, io::Cancellation& cancellation, SocketAddress server,
                                std::string host) {
    const IpAddress any = server.ip.is_v4() ? IpAddress::v4(0) : IpAddress{};
    auto fd = io::bind_udp({any, 0}, {});
    auto socket = fd ? io::UdpSocket::adopt(loop, std::move(*fd), cancellation) : std::unexpected(fd.error());
    if (!socket) co_return HostAnswer{.detail = socket.error().message};
    const std::array queries{write_host_query(random_id(), host, dns::type::a),
                             write_host_query(random_id(), host, dns::type::aaaa)};
    std::array<io::Datagram, 2> sent;
    for (std::size_t i = 0; i < 2; ++i) sent[i] = {.peer = server, .local = {}, .bytes = queries[i]};
    socket->send(sent);
    std::array<std::optional<HostAnswer>, 2> answers;
    io::DatagramBatch batch;
    const io::Deadline deadline = loop.in(answered_within);
    while (!answers[0] || !answers[1]) {
        const io::Wait waited = co_await socket->readable(deadline);
        if (waited != io::Wait::ready) break;
        for (const io::Datagram& one : socket->receive(batch)) {
            if (one.peer != server || one.truncated) continue;
            for (std::size_t i = 0; i < 2; ++i) {
                if (!answers[i]) answers[i] = read_host_answer(queries[i], one.bytes);
            }
        }
    }
    HostAnswer out = joined(answers);
    if (out.state == State::failed) out.detail = server.to_string() + ' ' + out.detail;
    co_return out;
}

}  // namespace

io::Task<HostAnswer> ask_for_host(io::Loop& loop, io::Cancellation& cancellation, std::vector<SocketAddress> servers,
                                  std::string host) {
    HostAnswer answer{.detail = "there is no name server to ask"};
    for (int round = 0; round < rounds; ++round) {
        for (const SocketAddress& server : servers) {
            answer = co_await ask_server(loop, cancellation, server, host);
            if (answer.state != State::failed || cancellation.requested()) co_return answer;
        }
    }
    co_return answer;
}

}  // namespace sallyport::push
