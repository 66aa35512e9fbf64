#include "gate/http/recoder.hpp"

#include <algorithm>

namespace sallyport::gate::http {

namespace {

using Kind = sallyport::http::Framing::Kind;
using What = sallyport::http::ChunkedReader::Step::What;

}  // namespace

Recoder::Recoder(Framing in, Framing out) : in_(in), out_(out), left_(in.length) {
    ended_ = in_.kind == Kind::none || (in_.kind == Kind::length && in_.length == 0);
}

Recoder::Step Recoder::feed(Bytes input, MutableBytes room) {
    if (ended_) return {.ended = true};
    return in_.kind == Kind::chunked ? recode_chunks(input, room) : pass(input, room);
}

Recoder::Step Recoder::pass(Bytes input, MutableBytes room) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(input.size(), most_wanted()));
    Step step{.consumed = count, .out = input.first(count)};
    if (in_.kind == Kind::length) {
        left_ -= count;
        ended_ = left_ == 0;
    }
    if (out_.kind == Kind::chunked && count > 0) {
        ByteWriter out(room);
        write_data(out, input.first(count));
        if (ended_) out.text(sallyport::http::chunked_body_end);
        step.out = out.written();
    }
    step.ended = ended_;
    return step;
}

void Recoder::write_data(ByteWriter& out, Bytes data) const {
    if (out_.kind != Kind::chunked) return out.bytes(data);
    sallyport::http::write_chunk_header(out, data.size());
    out.bytes(data);
    out.text(sallyport::http::chunk_end);
}

Recoder::Step Recoder::recode_chunks(Bytes input, MutableBytes room) {
    Step step;
    ByteWriter out(room);
    while (step.error.empty() && !ended_) {
        const auto next = chunks_.next(input.subspan(step.consumed));
        step.consumed += next.consumed;
        if (next.what == What::need_more) break;
        if (next.what == What::data) write_data(out, next.data);
        if (next.what == What::refused) step.error = text(next.error);
        if (next.what == What::end) {
            ended_ = true;
            if (out_.kind == Kind::chunked) sallyport::http::write_body_end(out, next.trailers);
        }
    }
    if (!out.ok()) step.error = "a body that grows beyond its room";
    step.out = out.written();
    step.ended = ended_;
    return step;
}

Recoder::Step Recoder::finish(MutableBytes room) {
    if (ended_) return {.ended = true};
    if (in_.kind != Kind::until_close) return {.error = "the connection ended in the middle of a body"};
    ended_ = true;
    ByteWriter out(room);
    if (out_.kind == Kind::chunked) out.text(sallyport::http::chunked_body_end);
    return {.out = out.written(), .ended = true};
}

}  // namespace sallyport::gate::http
