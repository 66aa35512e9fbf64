// Any bytes at all, cut at any places: the body, its end and its trailers are the same as when read in one piece, all
// views lie within the input, and what is written anew reads back as the same body.
#include "base/fuzzing.hpp"
#include "wire/http/chunked.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace {

using sallyport::Bytes;
using namespace sallyport::http;
using What = ChunkedReader::Step::What;
using sallyport::fuzzing::require;
using sallyport::fuzzing::require_inside;

struct Outcome {
    std::string body;
    std::string trailers;
    What end = What::need_more;
    std::optional<ChunkError> error;
    std::size_t consumed = 0;

    bool operator==(const Outcome&) const = default;
};

// `cuts` says how many more bytes arrive each time the reader asks, over and over.
Outcome read(Bytes wire, Bytes cuts) {
    ChunkedReader reader;
    Outcome out;
    std::size_t arrived = 0;
    for (std::size_t turn = 0; out.end == What::need_more;) {
        const Bytes piece = wire.subspan(out.consumed, arrived - out.consumed);
        const auto step = reader.next(piece);
        require(step.consumed <= piece.size());
        require_inside(step.data, piece);
        require_inside(step.trailers, piece);
        require(step.what != What::data || !step.data.empty());
        require(step.what != What::need_more || piece.size() - step.consumed < max_trailers);
        out.consumed += step.consumed;
        out.body += sallyport::as_text(step.data);
        out.trailers += sallyport::as_text(step.trailers);
        if (step.what == What::refused) out.error = step.error;
        if (step.what == What::end || step.what == What::refused) out.end = step.what;
        if (step.what != What::need_more) continue;
        if (arrived == wire.size()) break;
        const std::size_t more =
            cuts.empty() ? wire.size() : 1 + std::to_integer<std::size_t>(cuts[turn++ % cuts.size()]);
        arrived = std::min(arrived + more, wire.size());
    }
    return out;
}

std::string text_of(const sallyport::ByteWriter& out) {
    require(out.ok());
    return std::string(sallyport::as_text(out.written()));
}

std::string written_anew(const Outcome& outcome) {
    std::array<std::byte, max_body_end> room;
    std::string wire;
    if (!outcome.body.empty()) {
        sallyport::ByteWriter header(room);
        write_chunk_header(header, outcome.body.size());
        wire = text_of(header) + outcome.body + std::string(chunk_end);
    }
    sallyport::ByteWriter end(room);
    write_body_end(end, sallyport::as_bytes(outcome.trailers));
    return wire + text_of(end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    const Bytes cuts = input.first(std::min<std::size_t>(size, 4));
    const Bytes wire = input.subspan(cuts.size());

    const Outcome whole = read(wire, {});
    require(read(wire, cuts) == whole);
    if (whole.end != What::end) return 0;
    const Outcome again = read(sallyport::as_bytes(written_anew(whole)), {});
    require(again.end == What::end && again.body == whole.body);
    return 0;
}
