#include "wire/tls/client_hello.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::tls;

namespace {

std::string number(std::size_t value, int width) {
    std::string out;
    while (width-- > 0) out += static_cast<char>(value >> (8 * width));
    return out;
}
std::string counted(std::string_view what, int width) { return number(what.size(), width) + std::string(what); }
std::string extension(unsigned type, std::string_view body) { return number(type, 2) + counted(body, 2); }
std::string server_name(std::string_view name) { return extension(0, counted(number(0, 1) + counted(name, 2), 2)); }

std::string body_with(std::string_view extensions) {
    return "\x03\x03" + std::string(32, 'r') + counted("session", 1) + counted("\x13\x01\x13\x02", 2) +
           counted(std::string(1, '\0'), 1) + counted(extensions, 2);
}
std::string message(std::string_view body) { return "\x01" + counted(body, 3); }
std::string record(std::string_view payload) { return "\x16\x03\x01" + counted(payload, 2); }

// The message in records of `piece` bytes each.
std::string in_records(std::string_view whole, std::size_t piece) {
    std::string out;
    for (; !whole.empty(); whole.remove_prefix(std::min(piece, whole.size()))) out += record(whole.substr(0, piece));
    return out;
}

std::string say(std::string_view bytes) {
    ClientHello hello;
    const auto result = read_client_hello(as_bytes(bytes), hello);
    if (result.state == HelloResult::State::need_more) return "more";
    if (result.state == HelloResult::State::refused) return "! " + std::string(text(result.error));
    return hello.server_name.empty() ? "(none)" : hello.server_name;
}

}  // namespace

TEST(ClientHello, TellsTheServerNameInHoweverManyRecordsItComes) {
    const std::string grease = extension(0x2A2A, "") + extension(16, counted(counted("h2", 1), 2));
    struct Case {
        const char* name;
        std::string body;
        const char* answer;
    };
    const Case cases[] = {
        {"a name", body_with(server_name("Update.Example.com")), "update.example.com"},
        {"a name behind other extensions", body_with(grease + server_name("a.example")), "a.example"},
        {"no name", body_with(grease), "(none)"},
        {"no extensions at all",
         "\x03\x03" + std::string(32, 'r') + counted("", 1) + counted("\x13\x01", 2) + counted(std::string(1, '\0'), 1),
         "(none)"},
        {"a large hello, as post-quantum key shares make them",
         body_with(extension(51, std::string(9000, 'k')) + server_name("pq.example")), "pq.example"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{100}, std::size_t{16384}}) {
            const std::string bytes = in_records(message(c.body), piece);
            EXPECT_EQ(say(bytes), c.answer) << piece;
            const std::size_t step = bytes.size() > 2000 ? 97 : 1;
            for (std::size_t n = 0; n < bytes.size(); n += step)
                ASSERT_EQ(say(std::string_view(bytes).substr(0, n)), "more") << n;
        }
    }
}

TEST(ClientHello, TellsTheProtocolsThatAreOffered) {
    const auto of = [](std::string_view list) {
        ClientHello hello;
        const auto result = read_client_hello(as_bytes(record(message(body_with(extension(16, list))))), hello);
        if (result.state != HelloResult::State::complete) return std::string("!");
        std::string out;
        for (const auto& one : hello.protocols) out += one + ' ';
        return out;
    };
    EXPECT_EQ(of(counted(counted("apns-security-v3", 1) + counted("apns-pack-v1", 1), 2)),
              "apns-security-v3 apns-pack-v1 ");
    EXPECT_EQ(of(counted("", 2)), "");
    EXPECT_EQ(of(counted(counted("", 1), 2)), "!") << "an empty protocol";
    EXPECT_EQ(of(counted("\x09h2", 2)), "!") << "one that runs past the end";
    EXPECT_EQ(of(counted(counted("h2", 1), 2) + "x"), "!") << "something behind the list";
    std::string many;
    for (int i = 0; i < 100; ++i) many += counted("h2", 1);
    EXPECT_EQ(of(counted(many, 2)).size(), 3 * max_protocols);
}

TEST(ClientHello, RefusesWhatIsNoneAndWhatLies) {
    const std::string good = body_with(server_name("a.example"));
    struct Case {
        const char* name;
        std::string bytes;
        const char* answer;
    };
    const Case cases[] = {
        {"HTTP", "GET / HTTP/1.1\r\n", "! not a TLS handshake"},
        {"SSL 2", std::string("\x80\x2e\x01\x03\x01", 5), "! not a TLS handshake"},
        {"an alert", std::string("\x15\x03\x01\x00\x02\x02\x28", 7), "! not a TLS handshake"},
        {"a ServerHello", record("\x02" + counted(good, 3)), "! a handshake that does not begin with a ClientHello"},
        {"an empty record", std::string("\x16\x03\x01\x00\x00", 5), "! a malformed ClientHello"},
        {"a record beyond 2^14", std::string("\x16\x03\x01\x40\x01", 5), "! a malformed ClientHello"},
        {"a message beyond 16 KiB", record("\x01" + number(16385, 3)), "! a ClientHello of more than 16 KiB"},
        {"a message of 16 MiB", record("\x01\xff\xff\xff"), "! a ClientHello of more than 16 KiB"},
        {"bytes behind it in its record", record(message(good) + "x"), "! a malformed ClientHello"},
        {"a session id of 33 bytes",
         record(message("\x03\x03" + std::string(32, 'r') + counted(std::string(33, 's'), 1))),
         "! a malformed ClientHello"},
        {"an odd list of cipher suites",
         record(message("\x03\x03" + std::string(32, 'r') + counted("", 1) + counted("\x13\x01\x13", 2) +
                        counted(std::string(1, '\0'), 1))),
         "! a malformed ClientHello"},
        {"an extension that runs past the end", record(message(body_with(number(0, 2) + number(50, 2) + "x"))),
         "! a malformed ClientHello"},
        {"two names in one list",
         record(message(
             body_with(extension(0, counted(number(0, 1) + counted("a", 2) + number(0, 1) + counted("b", 2), 2))))),
         "! a malformed ClientHello"},
        {"two lists of names", record(message(body_with(server_name("a") + server_name("b")))),
         "! a malformed ClientHello"},
        {"an empty name", record(message(body_with(server_name("")))), "! a malformed ClientHello"},
        {"a NUL in the name", record(message(body_with(server_name(std::string_view("a.example\0.evil", 15))))),
         "! a malformed ClientHello"},
        {"a name that is a path", record(message(body_with(server_name("../../etc")))), "! a malformed ClientHello"},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(say(c.bytes), c.answer);
    }
}
