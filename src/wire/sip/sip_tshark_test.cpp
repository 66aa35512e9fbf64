// Another opinion: the hosts that tshark finds in the From fields of generated requests, against ours.
//
// Of what is accepted here, tshark must find the same host. It reads more than the grammar allows, so what is refused
// here is not asked of it.
#include "wire/sip/message.hpp"
#include "wire/sip/route.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace sallyport::sip {
namespace {

constexpr int requests = 4000;
constexpr int damaged_one_in = 3;

class Random {
public:
    std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
    template <std::size_t n>
    std::string_view of(const std::array<std::string_view, n>& choices) {
        return choices[below(n)];
    }

private:
    std::mt19937 engine_{4475};  // the same requests each time
};

constexpr std::array<std::string_view, 12> display_names = {
    "",
    "Alice ",
    "Alice B. ",
    "\"Alice\" ",
    "\"\" ",
    "\"Bell, A\" ",
    "\"<sip:x@evil.example>\" ",
    "\"a \\\" b\" ",
    "\"a\\\\\"",
    "\"x@y;tag=z\"",
    "caller",
    "*%!.-_+`'~ ",
};
constexpr std::array<std::string_view, 12> users = {
    "",
    "alice@",
    "a.b-c@",
    "+13035551111@",
    "alice:secret@",
    "a;par=b@",
    "u%40example.net@",
    "1_x~(y!z)&i't+$/c@",
    "%41@",
    "a=b@",
    "anonymous@",
    "*21@",
};
constexpr std::array<std::string_view, 10> hosts = {
    "example.com",
    "Example.COM",
    "a",
    "192.0.2.1",
    "[2001:db8::1]",
    "[2001:DB8::a]",
    "sub.domain-x.example",
    "4you.example",
    "localhost",
    "xn--bcher-kva.example",
};
constexpr std::array<std::string_view, 5> ports = {"", "", ":5060", ":5061", ":1"};
constexpr std::array<std::string_view, 7> uri_parameters = {
    "", "", ";transport=tcp", ";lr", ";user=phone;x=y", ";p=[x]/:&+$", "?Subject=x"};
constexpr std::array<std::string_view, 6> parameters = {";tag=1",           "",          ";tag=a-b.c;x", " ; tag = 1",
                                                        ";x=\"y@z\";tag=1", ";x=y;tag=1"};
constexpr std::array<std::string_view, 4> names = {"From: ", "f:", "FROM: ", "f: "};
constexpr std::string_view damage = "<>@:;\"\\[]., %?=";  // no tab: tshark sees it as part of a bare URI

std::string from_value(Random& random) {
    const std::string uri = std::string(random.below(4) == 0 ? "sips:" : "sip:") + std::string(random.of(users)) +
                            std::string(random.of(hosts)) + std::string(random.of(ports));
    const std::string tail(random.of(parameters));
    std::string out = random.below(4) == 0 ? uri + tail
                                           : std::string(random.of(display_names)) + "<" + uri +
                                                 std::string(random.of(uri_parameters)) + ">" + tail;
    if (random.below(damaged_one_in) == 0) out[random.below(out.size())] = damage[random.below(damage.size())];
    return out;
}

std::string request_with(std::string_view from_field) {
    return "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\n" + std::string(from_field) +
           "\r\nTo: <sip:t@u>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
}

void put(std::string& out, std::uint64_t value, int bytes, bool big_endian) {
    for (int i = 0; i < bytes; ++i) { out += static_cast<char>(value >> (8 * (big_endian ? bytes - 1 - i : i))); }
}

// One request a packet: IPv4, UDP to and from port 5060, checksums left out.
std::string packet_of(std::string_view payload) {
    std::string out;
    put(out, 0x4500, 2, true);
    put(out, 20 + 8 + payload.size(), 2, true);
    put(out, 0x00010000, 4, true);
    put(out, 0x40110000, 4, true);
    put(out, 0x7F000001, 4, true);
    put(out, 0x7F000001, 4, true);
    put(out, 5060, 2, true);
    put(out, 5060, 2, true);
    put(out, 8 + payload.size(), 2, true);
    put(out, 0, 2, true);
    return out + std::string(payload);
}

std::string capture_of(const std::vector<std::string>& messages) {
    constexpr std::uint64_t raw_ip = 101;  // the link type
    std::string out;
    put(out, 0xA1B2C3D4, 4, false);
    put(out, 2, 2, false);
    put(out, 4, 2, false);
    for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{65535}, raw_ip})
        put(out, word, 4, false);
    for (const std::string& message : messages) {
        const std::string packet = packet_of(message);
        put(out, 0, 8, false);
        put(out, packet.size(), 4, false);
        put(out, packet.size(), 4, false);
        out += packet;
    }
    return out;
}

// What tshark prints for each packet, by the packet's number from 1 on. Empty: there is no tshark.
std::map<std::size_t, std::string> hosts_by_tshark(const std::filesystem::path& capture) {
    const std::string command =
        "tshark -r '" + capture.string() + "' -T fields -e frame.number -e sip.from.host 2>/dev/null";
    std::map<std::size_t, std::string> found;
    std::FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return found;
    std::array<char, 4096> line{};
    while (std::fgets(line.data(), line.size(), pipe) != nullptr) {
        const std::string_view text =
            trim(std::string_view(line.data()).substr(0, std::string_view(line.data()).find('\n')));
        const std::size_t tab = text.find('\t');
        const auto number = parse_number<std::size_t>(text.substr(0, tab));
        if (number) found[*number] = tab == std::string_view::npos ? "" : std::string(text.substr(tab + 1));
    }
    ::pclose(pipe);
    return found;
}

TEST(SipFrom, IsReadAsTsharkReadsIt) {
    Random random;
    std::vector<std::string> messages;
    std::vector<std::string> ours;
    for (int i = 0; i < requests; ++i) {
        const std::string request = request_with(std::string(random.of(names)) + from_value(random));
        Message message;
        if (!parse_message(as_bytes(request), message).complete()) continue;
        const auto name = route_name(message);
        if (!name) continue;
        messages.push_back(request);
        ours.emplace_back(name->host.text());
    }
    ASSERT_GT(messages.size(), std::size_t{requests / 2});

    const auto capture = std::filesystem::temp_directory_path() / "sallyport-sip-from.pcap";
    std::ofstream(capture, std::ios::binary) << capture_of(messages);
    const auto theirs = hosts_by_tshark(capture);
    std::filesystem::remove(capture);
    if (theirs.empty()) GTEST_SKIP() << "there is no tshark";

    ASSERT_EQ(theirs.size(), messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
        std::string host = to_lower(theirs.at(i + 1));
        if (host.ends_with('.')) host.pop_back();  // one form for one name is ours alone
        EXPECT_EQ(host, ours[i]) << messages[i];
    }
}

}  // namespace
}  // namespace sallyport::sip
