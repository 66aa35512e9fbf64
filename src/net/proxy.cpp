#include "net/proxy.hpp"

#include "base/text.hpp"
#include "crypto/hash.hpp"
#include "io/peek.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace sallyport::net {

namespace {

using State = ProxyAnswer::State;

constexpr std::size_t most_head = std::size_t{16} * 1024;  // octets of an answer to CONNECT
constexpr std::size_t most_reply = 4 + 1 + 255 + 2;        // of SOCKS5

enum Socks : std::uint8_t {
    version = 5,
    login_version = 1,
    no_login = 0,
    login = 2,
    connect = 1,
    type_v4 = 1,
    type_name = 3,
    type_v6 = 4,
};

// RFC 1928 section 6.
constexpr std::array<std::string_view, 9> refusals{
    "",
    "general failure",
    "its rules don't allow the connection",
    "the network can't be reached",
    "the host can't be reached",
    "the connection was refused",
    "it took too long",
    "it knows no CONNECT",
    "it knows no address of this kind",
};

ProxyAnswer refused(std::string detail) { return {State::refused, 0, std::move(detail)}; }

char octet(unsigned value) { return static_cast<char>(value); }

std::string port_octets(std::uint16_t port) { return {octet(port >> 8), octet(port & 0xFFU)}; }

std::string printable(std::string_view text) {
    std::string out(text.substr(0, 80));
    for (char& one : out) {
        if (one < ' ' || one == '\x7f') one = ' ';
    }
    return out;
}

}  // namespace

std::string ProxyTarget::to_string() const {
    if (const auto* address = std::get_if<IpAddress>(&host)) return SocketAddress{*address, port}.to_string();
    return std::get<std::string>(host) + ':' + std::to_string(port);
}

std::string connect_request(const config::ProxyUrl& proxy, const ProxyTarget& target) {
    const std::string where = target.to_string();
    std::string out = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n";
    if (!proxy.user.empty())
        out += "Proxy-Authorization: Basic " + crypto::to_base64(as_bytes(proxy.user + ':' + proxy.password)) + "\r\n";
    return out + "\r\n";
}

std::string socks5_greeting(const config::ProxyUrl& proxy) {
    if (proxy.user.empty()) return {octet(version), octet(1), octet(no_login)};
    return {octet(version), octet(2), octet(no_login), octet(login)};
}

std::string socks5_login(const config::ProxyUrl& proxy) {
    constexpr std::size_t most = 255;
    const std::string user = proxy.user.substr(0, most);
    const std::string password = proxy.password.substr(0, most);
    std::string out{octet(login_version), octet(static_cast<unsigned>(user.size()))};
    out += user;
    out += octet(static_cast<unsigned>(password.size()));
    return out + password;
}

std::string socks5_request(const ProxyTarget& target) {
    std::string out{octet(version), octet(connect), octet(0)};
    if (const auto* address = std::get_if<IpAddress>(&target.host)) {
        const auto& bytes = address->bytes();
        out += octet(address->is_v4() ? type_v4 : type_v6);
        for (auto at = bytes.begin() + (address->is_v4() ? 12 : 0); at != bytes.end(); ++at) out += octet(*at);
    } else {
        const std::string& name = std::get<std::string>(target.host);
        out += octet(type_name);
        out += octet(static_cast<unsigned>(name.size()));
        out += name;
    }
    return out + port_octets(target.port);
}

ProxyAnswer read_connect_answer(Bytes bytes) {
    const std::string_view text = as_text(bytes);
    constexpr std::string_view beginning = "HTTP/1.";
    if (!text.starts_with(beginning.substr(0, std::min(text.size(), beginning.size()))))
        return refused("it answers what is no HTTP");
    const std::size_t end = text.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return text.size() < most_head ? ProxyAnswer{} : refused("its answer has no end");
    const std::string_view line = text.substr(0, text.find("\r\n"));
    constexpr std::size_t status_at = 9;  // behind "HTTP/1.1 "
    const auto status = parse_number<unsigned>(line.substr(std::min(status_at, line.size())).substr(0, 3));
    if (!status || *status < 200 || *status > 299) return refused("it answers \"" + printable(line) + '"');
    return {State::good, end + 4, {}};
}

ProxyAnswer read_socks5_method(Bytes bytes, bool& wants_login) {
    ByteReader reader(bytes);
    const auto spoken = reader.u8();
    if (spoken && *spoken != version) return refused("it does not speak SOCKS5");
    const auto method = reader.u8();
    if (!method) return {};
    if (*method != no_login && *method != login) return refused("it takes none of our ways to log in");
    wants_login = *method == login;
    return {State::good, 2, {}};
}

ProxyAnswer read_socks5_login(Bytes bytes) {
    ByteReader reader(bytes);
    reader.u8();
    const auto status = reader.u8();
    if (!status) return {};
    if (*status != 0) return refused("it takes no such user and password");
    return {State::good, 2, {}};
}

ProxyAnswer read_socks5_reply(Bytes bytes) {
    ByteReader reader(bytes);
    const auto spoken = reader.u8();
    if (spoken && *spoken != version) return refused("it does not speak SOCKS5");
    const auto reply = reader.u8();
    if (!reply) return {};
    if (*reply != 0)
        return refused(*reply < refusals.size() ? std::string(refusals[*reply])
                                                : "it refuses with " + std::to_string(*reply));
    reader.u8();
    const auto type = reader.u8();
    if (!type) return {};
    std::size_t size = 4;
    if (*type == type_v6) {
        size = 16;
    } else if (*type == type_name) {
        const auto length = reader.u8();
        if (!length) return {};
        size = *length;
    } else if (*type != type_v4) {
        return refused("its reply is none");
    }
    if (!reader.take(size + 2)) return {};
    return {State::good, bytes.size() - reader.remaining(), {}};
}

namespace {

// Looks at what comes until it is a whole answer, and takes just that.
io::Task<ProxyAnswer> take_answer(io::Stream& stream, std::size_t most, io::Deadline deadline,
                                  std::function<ProxyAnswer(Bytes)> read) {
    ProxyAnswer answer;
    const auto look = [&](Bytes bytes) {
        answer = read(bytes);
        return answer.state != State::need_more;
    };
    const io::Peeked peeked = co_await peek_until(stream, most, deadline, look);
    if (peeked == io::Peeked::late) co_return refused("it does not answer");
    if (peeked != io::Peeked::enough) co_return refused("it ends the connection");
    if (answer.state == State::good) stream.read(stream.loop().buffer().first(answer.length));
    co_return answer;
}

io::Task<std::string> open_by_socks5(io::Stream& stream, config::ProxyUrl proxy, ProxyTarget target,
                                     io::Deadline deadline) {
    bool wants_login = false;
    stream.write(as_bytes(socks5_greeting(proxy)));
    auto answer = co_await take_answer(stream, 2, deadline,
                                       [&wants_login](Bytes bytes) { return read_socks5_method(bytes, wants_login); });
    if (answer.state == State::good && wants_login) {
        stream.write(as_bytes(socks5_login(proxy)));
        answer = co_await take_answer(stream, 2, deadline, read_socks5_login);
    }
    if (answer.state == State::good) {
        stream.write(as_bytes(socks5_request(target)));
        answer = co_await take_answer(stream, most_reply, deadline, read_socks5_reply);
    }
    co_return std::move(answer.detail);
}

}  // namespace

io::Task<std::string> open_through(io::Stream& stream, const config::ProxyUrl& proxy, ProxyTarget target,
                                   io::Deadline deadline) {
    if (proxy.kind == config::ProxyUrl::Kind::socks5)
        co_return co_await open_by_socks5(stream, proxy, std::move(target), deadline);
    stream.write(as_bytes(connect_request(proxy, target)));
    auto answer = co_await take_answer(stream, most_head, deadline, read_connect_answer);
    co_return std::move(answer.detail);
}

}  // namespace sallyport::net
