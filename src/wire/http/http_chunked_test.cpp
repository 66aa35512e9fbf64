// Chunked bodies, each read in one piece, byte by byte, and cut in two at every place: the answer is the same.
#include "wire/http/chunked.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sallyport::http {
namespace {

struct Outcome {
    std::string body;
    std::string end;  // "more", "end", "end with <trailers>", "! <error>"
    std::size_t consumed = 0;
};

// Feeds pieces of at most `piece` bytes, the first one of `first`, giving back what was not consumed.
Outcome read(std::string_view wire, std::size_t first, std::size_t piece) {
    using What = ChunkedReader::Step::What;
    ChunkedReader reader;
    Outcome out{.body = "", .end = "more"};
    std::size_t arrived = std::min(first, wire.size());
    for (;;) {
        const auto step = reader.next(as_bytes(wire.substr(out.consumed, arrived - out.consumed)));
        out.consumed += step.consumed;
        if (step.what == What::data) out.body += as_text(step.data);
        if (step.what == What::refused) out.end = "! " + std::string(text(step.error));
        if (step.what == What::end)
            out.end = step.trailers.empty() ? "end" : "end with " + std::string(as_text(step.trailers));
        if (step.what == What::end || step.what == What::refused) return out;
        if (step.what == What::need_more && arrived == wire.size()) return out;
        if (step.what == What::need_more) arrived = std::min(arrived + piece, wire.size());
    }
}

std::string fault(ChunkError error) { return "! " + std::string(text(error)); }

TEST(HttpChunked, IsReadTheSameHoweverItIsCut) {
    using enum ChunkError;
    struct Case {
        std::string_view name;
        std::string wire;
        std::string body;
        std::string end;
        std::size_t left = 0;  // bytes that are not consumed; of no interest behind a fault
    };
    const std::string long_trailer = "A: " + std::string(max_trailers - 7, 'x') + "\r\n\r\n";  // exactly at the limit
    const Case cases[] = {
        {"nothing", "0\r\n\r\n", "", "end"},
        {"two chunks", "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!", "end"},
        {"hexadecimal in both cases", "A\r\n0123456789\r\na\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij", "end"},
        {"leading zeros", "0000000000000001\r\nx\r\n000\r\n\r\n", "x", "end"},
        {"extensions", "1;a=b; c=\"d e\"\r\nx\r\n0;last\r\n\r\n", "x", "end"},
        {"the next message behind it", "1\r\nx\r\n0\r\n\r\nGET /", "x", "end", 5},
        {"trailers", "0\r\nA: b\r\nC: d\r\n\r\nrest", "", "end with A: b\r\nC: d\r\n\r\n", 4},
        {"trailers at their limit", "0\r\n" + long_trailer, "", "end with " + long_trailer},
        {"unfinished data", "5\r\nhel", "hel", "more"},
        {"unfinished trailers", "0\r\nA: b\r\n", "", "more", 6},
        {"data that looks like a chunk", "3\r\n0\r\n\r\n0\r\n\r\n", "0\r\n", "end"},
        {"no size", "\r\n", "", fault(bad_size)},
        {"no size but an extension", ";a\r\nx", "", fault(bad_size)},
        {"a sign", "+1\r\nx\r\n", "", fault(bad_size)},
        {"a blank before the size", " 1\r\nx\r\n", "", fault(bad_size)},
        {"a blank behind the size", "1 \r\nx\r\n", "", fault(bad_size)},
        {"0x", "0x1\r\n", "", fault(bad_size)},
        {"a size ended by a line feed", "1\nx\r\n", "", fault(bad_size)},
        {"a size ended by a carriage return", "1\rx\r\n", "", fault(bad_size)},
        {"a size of 2^64 + 1", "10000000000000001\r\n", "", fault(size_overflow)},
        {"a size beyond 2^60", "1000000000000001\r\n", "", fault(size_overflow)},
        {"zeros without end", std::string(17, '0') + "\r\n", "", fault(size_overflow)},
        {"a line feed in an extension", "1;a\nx\r\n0\r\n\r\n", "", fault(bad_extension)},
        {"a NUL in an extension", std::string("1;\0\r\n", 5), "", fault(bad_extension)},
        {"an extension at its limit", "1;" + std::string(256, 'a') + "\r\nx\r\n0\r\n\r\n", "x", "end"},
        {"extensions that are too long only together",
         "1;" + std::string(200, 'a') + "\r\nx\r\n0;" + std::string(200, 'a') + "\r\n\r\n", "x", "end"},
        {"an extension beyond it", "1;" + std::string(257, 'a') + "\r\n", "", fault(extension_too_long)},
        {"data longer than its size", "1\r\nxy\r\n0\r\n\r\n", "x", fault(bad_chunk_end)},
        {"data ended by a line feed", "1\r\nx\n0\r\n\r\n", "x", fault(bad_chunk_end)},
        {"data ended by a carriage return", "1\r\nx\r0\r\n\r\n", "x", fault(bad_chunk_end)},
        {"a body ended by a line feed", "0\r\n\n", "", fault(bad_trailer)},
        {"a body ended by a carriage return", "0\r\n\rx", "", fault(bad_trailer)},
        {"a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", "", fault(bad_trailer)},
        {"a trailer ended by a line feed", "0\r\nA: b\n\r\n", "", fault(bad_trailer)},
        {"trailers that fill their limit without an end", "0\r\nA: " + std::string(max_trailers - 3, 'x'), "",
         fault(trailers_too_large)},
        {"trailers beyond their limit", "0\r\nA" + long_trailer, "", fault(trailers_too_large)},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        const auto check = [&c](const Outcome& outcome) {
            EXPECT_EQ(outcome.body, c.body);
            EXPECT_EQ(outcome.end, c.end);
            if (!c.end.starts_with('!')) EXPECT_EQ(c.wire.size() - outcome.consumed, c.left);
        };
        check(read(c.wire, c.wire.size(), 1));
        check(read(c.wire, 0, c.wire.size() > 1000 ? 97 : 1));
        for (std::size_t n = 1; n < std::min<std::size_t>(c.wire.size(), 300); ++n)
            check(read(c.wire, n, c.wire.size()));
    }
}

TEST(HttpChunked, DoesNothingMoreOnceItHasEnded) {
    ChunkedReader reader;
    EXPECT_EQ(reader.next(as_bytes("0\r\n\r\n")).what, ChunkedReader::Step::What::end);
    EXPECT_TRUE(reader.ended());
    const auto after = reader.next(as_bytes("5\r\nhello"));
    EXPECT_EQ(after.what, ChunkedReader::Step::What::need_more);
    EXPECT_EQ(after.consumed, 0U);
}

std::string written(auto write) {
    std::array<std::byte, 512> room;
    ByteWriter out(room);
    write(out);
    EXPECT_TRUE(out.ok());
    return std::string(as_text(out.written()));
}

TEST(HttpChunked, IsWrittenWithItsSizesInHexadecimal) {
    EXPECT_EQ(written([](ByteWriter& out) { write_chunk_header(out, 1); }), "1\r\n");
    EXPECT_EQ(written([](ByteWriter& out) { write_chunk_header(out, 524288); }), "80000\r\n");
    EXPECT_EQ(written([](ByteWriter& out) { write_chunk_header(out, ~std::uint64_t{0}); }), "ffffffffffffffff\r\n");
}

TEST(HttpChunked, EndsWithThoseTrailersThatMayPass) {
    const std::string_view section =
        "X-Checksum: 1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\nAuthorization: c\r\n"
        "X-Forwarded-For: d\r\ncontent_length: 3\r\nGrpc-Status: 0\r\nSet-Cookie: e\r\nTrailer: f\r\n\r\n";
    EXPECT_EQ(written([&](ByteWriter& out) { write_body_end(out, as_bytes(section)); }),
              "0\r\nX-Checksum: 1\r\nGrpc-Status: 0\r\n\r\n");
    EXPECT_EQ(written([](ByteWriter& out) { write_body_end(out, {}); }), chunked_body_end);
}

}  // namespace
}  // namespace sallyport::http
