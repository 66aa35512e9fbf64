#include "firewall/session.hpp"

#include "base/text.hpp"
#include "firewall/evaluate.hpp"
#include "firewall/programs.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

namespace sallyport::firewall {

namespace {

constexpr std::string_view variable = "SSH_CONNECTION=";
constexpr unsigned most_ancestors = 64;

std::string read_proc(pid_t process, const char* name) {
    std::ifstream in("/proc/" + std::to_string(process) + '/' + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string environment_value(const std::string& environment) {
    for (std::size_t at = 0; at < environment.size();) {
        const auto end = std::min(environment.find('\0', at), environment.size());
        const auto entry = std::string_view(environment).substr(at, end - at);
        if (entry.starts_with(variable)) return std::string(entry.substr(variable.size()));
        at = end + 1;
    }
    return "";
}

// The fourth field of stat(5), after a name in parentheses that may hold anything.
pid_t parent_of(pid_t process) {
    const std::string stat = read_proc(process, "stat");
    const auto end = stat.rfind(')');
    if (end == std::string::npos) return 0;
    std::istringstream rest(stat.substr(end + 1));
    char state = 0;
    pid_t parent = 0;
    rest >> state >> parent;
    return parent;
}

// "… dev eth1 src …", from `ip route get`.
std::string interface_towards(const IpAddress& address) {
    const auto ran = run_program({"ip", "-o", "route", "get", address.to_string()});
    if (!ran || !ran->ok()) return "";
    std::istringstream words(ran->out);
    for (std::string word; words >> word;) {
        if (word == "dev" && words >> word) return word;
    }
    return "";
}

}  // namespace

std::optional<Session> parse_session(std::string_view text) {
    std::istringstream words{std::string(text)};
    std::string client;
    std::string client_port;
    std::string server;
    std::string server_port;
    if (!(words >> client >> client_port >> server >> server_port)) return std::nullopt;
    const auto from = IpAddress::parse(client);
    const auto from_port = parse_number<std::uint16_t>(client_port);
    const auto to = IpAddress::parse(server);
    const auto to_port = parse_number<std::uint16_t>(server_port);
    if (!from || !from_port || !to || !to_port) return std::nullopt;
    return Session{{*from, *from_port}, {*to, *to_port}, std::string(text)};
}

std::optional<Session> own_session() {
    if (const char* own = std::getenv("SSH_CONNECTION")) return parse_session(own);
    pid_t process = ::getppid();
    for (unsigned i = 0; i < most_ancestors && process > 1; ++i) {
        if (const auto text = environment_value(read_proc(process, "environ")); !text.empty())
            return parse_session(text);
        process = parent_of(process);
    }
    return std::nullopt;
}

Zone zone_of(const Policy& policy, const IpAddress& address) {
    if (!policy.has_zones()) return Zone::outside;
    const std::string interface = interface_towards(address);
    if (interface == "lo") return Zone::any;
    return std::ranges::find(policy.inside, interface) != policy.inside.end() ? Zone::inside : Zone::outside;
}

std::optional<std::string> cut_off(const Policy& policy, const Session& session) {
    if (session.client.ip.is_loopback()) return std::nullopt;
    const Verdict verdict = evaluate(policy, {.hook = Hook::input,
                                              .zone = zone_of(policy, session.client.ip),
                                              .transport = Transport::tcp,
                                              .from = session.client.ip,
                                              .to = session.server.ip,
                                              .port = session.server.port});
    if (verdict.admitted) return std::nullopt;
    return "you are connected from " + session.client.ip.to_string() + " to port " +
           std::to_string(session.server.port) + " of this machine, and these rules would not let you in again (" +
           (verdict.rule != nullptr ? verdict.rule->id : "") +
           "): name your network in admin_from of [firewall] and the port in admin_ports";
}

}  // namespace sallyport::firewall
