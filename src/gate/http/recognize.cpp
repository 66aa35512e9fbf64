// The first bytes of HTTP/1 among those of others.
#include "gate/first_word.hpp"
#include "gate/http/http_dialect.hpp"

namespace sallyport::gate::http {

namespace {

constexpr std::string_view line_end = "\r\n";

// The forms of a request target (RFC 9112 section 3.2). An authority stands behind CONNECT alone.
Recognized recognize_target(std::string_view method, std::string_view target) {
    if (method == "CONNECT" || target.starts_with('/') || target.starts_with('*')) return Recognized::yes;
    const Recognized plain = begins_with(target, "http://");
    return plain != Recognized::no ? plain : begins_with(target, "https://");
}

}  // namespace

Recognized recognize(Bytes first) {
    std::string_view text = as_text(first);
    if (text.starts_with(line_end)) text.remove_prefix(line_end.size());  // RFC 9112 section 2.2
    if (text == "\r") return text.size() == first.size() ? Recognized::maybe : Recognized::no;
    const FirstWord word = first_word(text);
    return word.complete == Recognized::yes ? recognize_target(word.word, word.rest) : word.complete;
}

}  // namespace sallyport::gate::http
