// Any bytes at all: an answer, never a read outside; every prefix of a whole header needs more, what follows it changes
// nothing, a refusal stays one; and what a header says, written anew in either version, reads back the same.
#include "base/fuzzing.hpp"
#include "wire/proxy/proxy_header.hpp"

#include <array>
#include <vector>

namespace {

using namespace sallyport;
using namespace sallyport::proxy;
using State = HeaderResult::State;
using fuzzing::require;

// The bytes in memory of just their size, so that a read beyond them is seen.
HeaderResult read_alone(Bytes bytes, Header& header) {
    const std::vector<std::byte> alone(bytes.begin(), bytes.end());
    return read_header(alone, header);
}

bool same(const Header& a, const Header& b) {
    return a.local == b.local && a.source == b.source && a.destination == b.destination;
}

void check_prefixes(Bytes bytes, const HeaderResult& result, const Header& header) {
    bool refused = false;
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        Header part;
        const auto before = read_alone(bytes.first(n), part);
        if (result.state == State::complete && n >= result.length) {
            require(before.state == State::complete && before.length == result.length && same(part, header));
            continue;
        }
        require(before.state != State::complete);
        refused = refused || before.state == State::refused;
        require(refused == (before.state == State::refused));
        require(!refused || (result.state == State::refused && before.error == result.error));
    }
}

void check_written(const Header& header) {
    for (const Version version : {Version::v1, Version::v2}) {
        std::array<std::byte, 104> room{};
        ByteWriter out(room);
        write_header(out, version, header.source, header.destination);
        require(out.ok());
        Header back;
        const auto result = read_alone(out.written(), back);
        require(result.state == State::complete && result.length == out.size() && same(back, header));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
    Header header;
    const auto result = read_alone(bytes, header);
    require(result.state != State::need_more || size < max_header);
    require(result.state != State::complete || (result.length <= size && result.length <= max_header));
    require(result.state == State::refused || size < 6 || begins_like_header(bytes));
    check_prefixes(bytes, result, header);
    if (result.state == State::complete && !header.local) check_written(header);
    return 0;
}
