// Held against another parser: what we accept and Boost.Beast accepts must mean the same to both. Where we refuse what
// Beast accepts, or the other way, the class must stand in a list here, with its reason.
#include "wire/http/head.hpp"
#include "wire/http/scanner.hpp"

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sallyport::http {
namespace {

namespace beast = boost::beast::http;

struct Reading {
    std::string first_line;  // "GET /x 1.1", "200 1.1"
    std::string framing;
    std::vector<std::pair<std::string, std::string>> fields;

    bool operator==(const Reading&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Reading& reading) {
    out << reading.first_line << " | " << reading.framing;
    for (const auto& [name, value] : reading.fields) out << " | " << name << "=" << value;
    return out;
}

std::string framing_of(const Framing& framing) {
    constexpr std::string_view kinds[] = {"none", "length ", "chunked", "until close"};
    const bool length = framing.kind == Framing::Kind::length;
    return std::string(kinds[std::to_underlying(framing.kind)]) + (length ? std::to_string(framing.length) : "");
}

std::vector<std::pair<std::string, std::string>> fields_of(const FieldList& fields) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const Field& field : fields) out.emplace_back(field.name, field.value);
    return out;
}

// Null where Beast refuses or wants more.
template <bool is_request>
auto beast_parse(std::string_view text) {
    auto parser = std::make_unique<beast::parser<is_request, beast::string_body>>();
    parser->header_limit(65536);
    parser->body_limit(std::numeric_limits<std::uint64_t>::max());
    parser->eager(false);
    boost::beast::error_code error;
    std::size_t used = 0;
    while (!error && !parser->is_header_done() && used < text.size()) {
        used += parser->put(boost::asio::buffer(text.data() + used, text.size() - used), error);
    }
    if (error || !parser->is_header_done()) parser.reset();
    return parser;
}

template <class Parser>
std::string beast_framing(const Parser& parser, std::string_view without) {
    if (parser.chunked()) return "chunked";
    if (parser.content_length()) return "length " + std::to_string(*parser.content_length());
    return std::string(without);
}

template <class Message>
std::vector<std::pair<std::string, std::string>> beast_fields(const Message& message) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& field : message) out.emplace_back(field.name_string(), field.value());
    return out;
}

std::string version_of(unsigned number) {
    return " " + std::to_string(number / 10) + "." + std::to_string(number % 10);
}

std::optional<Reading> read_request_by_beast(std::string_view text) {
    const auto parser = beast_parse<true>(text);
    if (!parser) return std::nullopt;
    const auto& message = parser->get();
    return Reading{
        std::string(message.method_string()) + " " + std::string(message.target()) + version_of(message.version()),
        beast_framing(*parser, "none"), beast_fields(message)};
}

std::optional<Reading> read_response_by_beast(std::string_view text) {
    const auto parser = beast_parse<false>(text);
    if (!parser) return std::nullopt;
    const auto& message = parser->get();
    const unsigned status = message.result_int();
    const bool bodiless = status < 200 || status == 204 || status == 304;
    return Reading{std::to_string(status) + version_of(message.version()),
                   bodiless ? "none" : beast_framing(*parser, "until close"), beast_fields(message)};
}

Reading reading_of(const RequestHead& head) {
    return {std::string(head.method_text) + " " + std::string(head.target) + version_of(10U + head.minor_version),
            framing_of(head.framing), fields_of(head.fields)};
}

Reading reading_of(const ResponseHead& head) {
    return {std::to_string(head.status) + version_of(10U + head.minor_version), framing_of(head.framing),
            fields_of(head.fields)};
}

// Deliberately stricter than Beast, which leaves targets, hosts and who may send an encoding to its caller.
constexpr HeadError stricter_requests[] = {
    HeadError::connect,
    HeadError::bad_target,
    HeadError::missing_host,
    HeadError::several_hosts,
    HeadError::bad_host,
    HeadError::encoding_on_1_0,
    HeadError::bad_encoding,  // Beast takes lists that end in chunked, and unknown codings
    HeadError::several_lengths,  // Beast takes several that agree
    HeadError::length_and_encoding,  // Beast ignores an encoding that does not end in chunked
    HeadError::obs_fold,  // Beast joins the lines
};

constexpr HeadError stricter_responses[] = {
    HeadError::bad_status,  // 000 to 099 and 600 to 999
    HeadError::encoding_on_1_0, HeadError::bad_encoding,
    HeadError::bad_length,  // Beast takes a list of equal ones
    HeadError::obs_fold,
};

constexpr std::string_view request_seeds[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /a/b?c=d HTTP/1.1\r\nHost: pbx.example.com:8080\r\nContent-Length: 12\r\nUser-Agent: x y/1.0 (z)\r\n\r\n",
    "PUT http://b.example/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
    "GET /w HTTP/1.1\r\nHost: [::1]:80\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\nAccept: \t */* \t\r\nEmpty:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n",
    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
};

constexpr std::string_view response_seeds[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nServer: x/1 (y)\r\n\r\n",
    "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
    "HTTP/1.0 304 \r\nETag: \"x\"\r\nContent-Length: 9\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 500 X\r\nA: b\r\n\tc\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
};

// Small damage of the kind that parsers disagree on; the same for every run.
std::string damaged(std::string_view seed, std::mt19937& random) {
    constexpr std::string_view pieces[] = {"\r",
                                           "\n",
                                           "\r\n",
                                           " ",
                                           "\t",
                                           ":",
                                           ",",
                                           ";",
                                           "0",
                                           "5",
                                           "+",
                                           "-",
                                           "\0",
                                           "\"",
                                           "%",
                                           "/",
                                           "?",
                                           "#",
                                           "@",
                                           "\x80",
                                           "_",
                                           "\x7F",
                                           "\x01",
                                           "x",
                                           "X",
                                           "\\",
                                           "*",
                                           "chunked",
                                           "Host: b\r\n",
                                           "Content-Length: 3\r\n",
                                           "Transfer-Encoding: chunked\r\n"};
    std::string text(seed);
    const auto below = [&random](std::size_t n) { return random() % n; };
    for (auto times = 1 + below(3); times > 0 && !text.empty(); --times) {
        const auto at = below(text.size());
        const auto piece = pieces[below(std::size(pieces))];
        switch (below(3)) {
            case 0: text.insert(at, piece); break;
            case 1: text.erase(at, 1 + below(3)); break;
            default: text.replace(at, 1, piece); break;
        }
    }
    return text;
}

struct Tally {
    std::size_t both = 0;
    std::map<HeadError, std::size_t> only_beast;
};

template <class Head, class Parse, class ByBeast>
Tally compare(std::span<const std::string_view> seeds, Parse parse, ByBeast by_beast,
              bool (*lenient)(const Head&, std::string_view)) {
    std::mt19937 random(1);
    Tally tally;
    Head head;
    for (int round = 0; round < 30000; ++round) {
        const auto seed = seeds[static_cast<std::size_t>(round) % seeds.size()];
        const std::string text =
            static_cast<std::size_t>(round) < seeds.size() ? std::string(seed) : damaged(seed, random);
        const HeadResult ours = parse(as_bytes(text), head);
        const auto theirs = by_beast(text);
        if (ours.complete() && theirs) {
            ++tally.both;
            EXPECT_EQ(reading_of(head), *theirs) << testing::PrintToString(text);
        } else if (ours.complete()) {
            EXPECT_TRUE(lenient(head, text)) << testing::PrintToString(text);
        } else if (theirs) {
            EXPECT_TRUE(ours.refused()) << testing::PrintToString(text);
            if (ours.refused()) ++tally.only_beast[ours.error];
        }
    }
    return tally;
}

// Each class that was met stands in the list, and each that stands there was met.
void expect_listed(const Tally& tally, std::span<const HeadError> stricter) {
    for (const auto& [error, times] : tally.only_beast) {
        EXPECT_NE(std::ranges::find(stricter, error), stricter.end()) << text(error) << ", " << times << " times";
    }
    for (const HeadError error : stricter) EXPECT_TRUE(tally.only_beast.contains(error)) << text(error);
}

// Where Beast refuses a Connection field that is no list of tokens, we look for the members that mean something.
bool has_odd_connection(const FieldList& fields) {
    for (const Field& field : fields) {
        std::string_view rest = field.kind == FieldKind::connection ? field.value : std::string_view();
        while (const auto member = next_member(rest)) {
            if (!std::ranges::all_of(*member, [](char c) { return is_in(token_set, c); })) return true;
        }
    }
    return false;
}

TEST(HttpBesideBeast, RequestsMeanTheSame) {
    // RFC 9112 section 2.2 wants an empty line before a request passed over.
    const auto lenient = [](const RequestHead& head, std::string_view text) {
        return text.starts_with("\r\n") || has_odd_connection(head.fields);
    };
    const auto tally = compare<RequestHead>(request_seeds, parse_request, read_request_by_beast, lenient);
    EXPECT_GT(tally.both, 3000U);
    expect_listed(tally, stricter_requests);
}

TEST(HttpBesideBeast, ResponsesMeanTheSame) {
    // Small servers leave out the blank before an empty reason.
    const auto lenient = [](const ResponseHead& head, std::string_view text) {
        return text.substr(12).starts_with("\r\n") || has_odd_connection(head.fields);
    };
    const auto parse = [](Bytes bytes, ResponseHead& head) { return parse_response(bytes, Method::get, head); };
    const auto tally = compare<ResponseHead>(response_seeds, parse, read_response_by_beast, lenient);
    EXPECT_GT(tally.both, 3000U);
    expect_listed(tally, stricter_responses);
}

}  // namespace
}  // namespace sallyport::http
