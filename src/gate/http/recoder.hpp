// A body on its way from one framing to another, sans-io: pieces in, pieces out (RFC 9112 sections 6 and 7).
//
// Framing is always our own: chunk lines are never passed through, and what stands behind the end of a body is never
// taken for it.
#pragma once

#include "base/bytes.hpp"
#include "wire/http/chunked.hpp"
#include "wire/http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::gate::http {

class Recoder {
public:
    using Framing = sallyport::http::Framing;

    struct Step {
        std::size_t consumed = 0;    // bytes of the input that are done with; the rest is given again
        Bytes out = {};              // to be sent; a view into the input or into the room
        bool ended = false;          // the body is whole, and its end is in `out`
        std::string_view error = {}; // what is wrong with the input; empty: nothing
    };

    Recoder(Framing in, Framing out);

    /// How much of the input can belong to this body: what is beyond belongs to the next message.
    std::uint64_t most_wanted() const { return in_.kind == Framing::Kind::length ? left_ : UINT64_MAX; }
    bool ended() const { return ended_; }
    bool wants_chunks() const { return in_.kind == Framing::Kind::chunked; }

    /// Takes the next piece. @param room  for what must be framed anew: the input's size and 9 KiB (trailers are the
    /// most that grows).
    Step feed(Bytes input, MutableBytes room);
    /// The input has ended. Right only where that ends the body; otherwise the step has an error.
    Step finish(MutableBytes room);

private:
    Step pass(Bytes input, MutableBytes room);
    Step recode_chunks(Bytes input, MutableBytes room);
    void write_data(ByteWriter& out, Bytes data) const;

    Framing in_;
    Framing out_;
    std::uint64_t left_ = 0;
    bool ended_ = false;
    sallyport::http::ChunkedReader chunks_;
};

}  // namespace sallyport::gate::http
