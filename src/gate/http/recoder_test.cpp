#include "gate/http/recoder.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

using namespace sallyport;
using gate::http::Recoder;
using Framing = sallyport::http::Framing;

namespace {

struct Outcome {
    std::string out;
    std::size_t consumed = 0;
    bool ended = false;
    std::string error;
    bool operator==(const Outcome&) const = default;
};

// Feeds `input` in pieces of `piece` bytes, as a connection would: what was not consumed is given again.
Outcome run(Recoder recoder, std::string_view input, std::size_t piece, bool then_ends) {
    static std::array<std::byte, 100'000> room;
    Outcome outcome;
    std::string held;
    for (std::size_t at = 0; at < input.size() && !outcome.ended && outcome.error.empty(); at += piece) {
        held += input.substr(at, piece);
        const auto step = recoder.feed(as_bytes(held), room);
        outcome.out += as_text(step.out);
        outcome.consumed += step.consumed;
        outcome.ended = step.ended;
        outcome.error = step.error;
        held.erase(0, step.consumed);
    }
    if (!outcome.ended && outcome.error.empty() && then_ends) {
        const auto step = recoder.finish(room);
        outcome.out += as_text(step.out);
        outcome.ended = step.ended;
        outcome.error = step.error;
    }
    return outcome;
}

// The data of a chunked body, by the simplest reader that can be written down.
std::string unchunk(std::string_view body) {
    std::string out;
    for (;;) {
        const auto eol = body.find("\r\n");
        if (eol == std::string_view::npos) return out + "<unfinished>";
        const auto size = std::stoul(std::string(body.substr(0, eol)), nullptr, 16);
        if (size == 0) return out;
        out += body.substr(eol + 2, size);
        body.remove_prefix(eol + 2 + size + 2);
    }
}

}  // namespace

TEST(Recoder, CarriesABodyFromAnyFramingToAnyOther) {
    struct Case {
        const char* name;
        Framing in;
        Framing out;
        std::string_view input;
        std::string_view data;
        std::size_t consumed;
    };
    const Case cases[] = {
        {"length stays length", Framing::of_length(5), Framing::of_length(5), "helloNEXT", "hello", 5},
        {"length to chunks", Framing::of_length(5), Framing::chunked(), "helloNEXT", "hello", 5},
        {"chunks stay chunks, framed anew", Framing::chunked(), Framing::chunked(),
         "2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nNEXT", "hello", 24},
        {"chunks to the end of the connection", Framing::chunked(), Framing::until_close(), "5\r\nhello\r\n0\r\n\r\n",
         "hello", 15},
        {"the end of the connection to chunks", Framing::until_close(), Framing::chunked(), "hello", "hello", 5},
        {"the end of the connection stays so", Framing::until_close(), Framing::until_close(), "hello", "hello", 5},
    };
    for (const Case& c : cases) {
        SCOPED_TRACE(c.name);
        for (const std::size_t piece :
             {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, c.input.size()}) {
            SCOPED_TRACE(piece);
            const Outcome outcome = run(Recoder(c.in, c.out), c.input, piece, c.in.kind == Framing::Kind::until_close);
            EXPECT_EQ(outcome.error, "");
            EXPECT_TRUE(outcome.ended);
            EXPECT_EQ(c.out.kind == Framing::Kind::chunked ? unchunk(outcome.out) : outcome.out, c.data);
            EXPECT_EQ(outcome.consumed, c.consumed);
        }
    }
}

TEST(Recoder, NeverTakesATruncatedBodyForAWholeOne) {
    for (const auto& [in, input] :
         {std::pair{Framing::of_length(6), "hello"}, std::pair{Framing::chunked(), "5\r\nhello\r\n"},
          std::pair{Framing::chunked(), "5\r\nhello\r\n0\r\n"}}) {
        const Outcome outcome = run(Recoder(in, Framing::chunked()), input, 100, true);
        EXPECT_FALSE(outcome.ended);
        EXPECT_NE(outcome.error, "");
        EXPECT_EQ(outcome.out.find("0\r\n\r\n"), std::string::npos) << "an end that the sender never wrote";
    }
}

TEST(Recoder, NamesABadChunkAndSendsNoEnd) {
    const Outcome outcome = run(Recoder(Framing::chunked(), Framing::chunked()), "5\r\nhello\r\nxyz\r\n", 100, false);
    EXPECT_NE(outcome.error, "");
    EXPECT_FALSE(outcome.ended);
}

TEST(Recoder, NoBodyIsOverBeforeItBegins) {
    EXPECT_TRUE(Recoder(Framing::none(), Framing::none()).ended());
    EXPECT_TRUE(Recoder(Framing::of_length(0), Framing::of_length(0)).ended());
    EXPECT_FALSE(Recoder(Framing::chunked(), Framing::chunked()).ended());
}
