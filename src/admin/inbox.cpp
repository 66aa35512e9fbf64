#include "admin/inbox.hpp"

#include "wire/http/chunked.hpp"

#include <utility>

namespace sallyport::admin {

namespace {

constexpr std::size_t read_at_once = max_head;

}  // namespace

io::Task<std::optional<Trouble>> Inbox::more(io::Deadline deadline) {
    io::Loop& loop = stream_.loop();
    co_await io::Yield{loop};
    if (loop.now() >= deadline.when()) co_return Trouble::timeout;
    for (;;) {
        const MutableBytes room = loop.buffer().first(read_at_once);
        const io::Got got = stream_.read(room);
        if (got.io == io::Io::ok) {
            arrived_.erase(0, std::exchange(used_, 0));
            arrived_ += as_text(room.first(got.bytes));
            co_return std::nullopt;
        }
        if (got.io != io::Io::again) co_return Trouble::closed;
        const io::Wait waited = co_await stream_.readable(deadline);
        if (waited == io::Wait::timeout) co_return Trouble::timeout;
        if (waited == io::Wait::cancelled) co_return Trouble::closed;
    }
}

io::Task<std::optional<Trouble>> Inbox::more_of_head(io::Deadline deadline) {
    const std::size_t before = bytes().size();
    while (bytes().size() < max_head) {
        if (const auto trouble = co_await more(deadline)) co_return trouble;
        if (as_text(bytes().subspan(before)).contains('\n')) co_return std::nullopt;
    }
    co_return Trouble::too_large;
}

io::Task<std::expected<std::string, Trouble>> Inbox::body(http::Framing framing, std::size_t limit,
                                                          io::Deadline deadline) {
    if (framing.kind == http::Framing::Kind::none) co_return std::string();
    if (framing.kind == http::Framing::Kind::chunked) co_return co_await chunked_body(limit, deadline);
    // What ends with the connection can't be told from what broke off; nobody here sends it.
    if (framing.kind == http::Framing::Kind::until_close) co_return std::unexpected(Trouble::malformed);
    if (framing.length > limit) co_return std::unexpected(Trouble::too_large);
    while (bytes().size() < framing.length) {
        if (const auto trouble = co_await more(deadline)) co_return std::unexpected(*trouble);
    }
    std::string out(as_text(bytes().first(framing.length)));
    drop(framing.length);
    co_return out;
}

io::Task<std::expected<std::string, Trouble>> Inbox::chunked_body(std::size_t limit, io::Deadline deadline) {
    using What = http::ChunkedReader::Step::What;
    http::ChunkedReader reader;
    std::string out;
    for (;;) {
        const http::ChunkedReader::Step step = reader.next(bytes());
        out += as_text(step.data);
        drop(step.consumed);
        if (out.size() > limit) co_return std::unexpected(Trouble::too_large);
        if (step.what == What::refused) co_return std::unexpected(Trouble::malformed);
        if (step.what == What::end) co_return out;
        if (step.what == What::data) continue;
        if (const auto trouble = co_await more(deadline)) co_return std::unexpected(*trouble);
    }
}

}  // namespace sallyport::admin
