#include "gate/pass_on.hpp"

#include "io/testing.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate;
using io::testing::StreamPair;
using io::testing::VirtualLoop;

namespace {

std::vector<std::string> writes;  // what each system call was asked to send

io::SystemCalls noting_sends() {
    writes.clear();
    io::SystemCalls calls;
    calls.send = [](int fd, const void* from, std::size_t size, int flags) {
        writes.emplace_back(static_cast<const char*>(from), size);
        return ::send(fd, from, size, flags);
    };
    return calls;
}

struct Piece {
    std::string_view text;
    bool held = false;  // not of what came
    bool flush = false;  // behind it
};

}  // namespace

TEST(PassOn, WritesNeighborsAtOnce) {
    struct Case {
        const char* name;
        std::vector<Piece> pieces;  // the text of those that are not held stands in what came
        std::vector<std::string> written;
    };
    const std::string came = "abcdef";
    const Case cases[] = {
        {"nothing", {}, {}},
        {"all", {{"ab"}, {"c"}, {"def"}}, {"abcdef"}},
        {"with empty ones", {{"ab"}, {""}, {"cd"}}, {"abcd"}},
        {"one left away", {{"ab"}, {"def"}}, {"ab", "def"}},
        {"one that was held, in front", {{"xy", true}, {"ab"}, {"cd"}}, {"xy", "abcd"}},
        {"one that was held, behind", {{"ab"}, {"xy", true}}, {"ab", "xy"}},
        {"something else in between", {{"ab", false, true}, {"cd"}}, {"ab", "cd"}},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        const io::SystemCalls calls = noting_sends();
        VirtualLoop loop(calls);
        io::Cancellation cancellation;
        StreamPair streams(*loop, cancellation);
        {
            PassOn pass(streams.near, as_bytes(came));
            for (const Piece& piece : one.pieces) {
                std::string held(piece.text);
                const std::string_view view =
                    piece.held ? held : std::string_view(came).substr(came.find(piece.text), piece.text.size());
                pass.add(as_bytes(view));
                held.assign(held.size(), '-');  // a stepper writes over it
                if (piece.flush) pass.flush();
            }
        }
        EXPECT_EQ(writes, one.written);
    }
}
