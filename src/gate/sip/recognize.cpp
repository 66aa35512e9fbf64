// The first bytes of SIP among those of others.
#include "base/text.hpp"
#include "gate/first_word.hpp"
#include "gate/sip/sip_dialect.hpp"
#include "wire/sip/message.hpp"

#include <algorithm>

namespace sallyport::gate::sip {

namespace {

constexpr std::string_view line_end = "\r\n";
constexpr std::size_t longest_scheme = 16;  // bytes
constexpr std::string_view others[] = {"http:", "https:"};

bool is_scheme(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '+' || c == '-' || c == '.'; }

// A URI of any scheme but those of others: sip, sips, tel, pres, urn.
Recognized recognize_uri(std::string_view uri) {
    std::size_t size = 0;
    while (size < uri.size() && size <= longest_scheme && is_scheme(uri[size])) ++size;
    if (size == uri.size()) return Recognized::maybe;
    if (size == 0 || uri[size] != ':') return Recognized::no;
    const std::string_view scheme = uri.substr(0, size + 1);
    const bool foreign = std::ranges::any_of(others, [&](auto other) { return equals_ignoring_case(scheme, other); });
    return foreign ? Recognized::no : Recognized::yes;
}

}  // namespace

Recognized recognize(Bytes first) {
    std::string_view text = as_text(first);
    if (const Recognized ping = begins_with(text, sallyport::sip::ping); ping != Recognized::no) return ping;
    if (text.starts_with(line_end)) text.remove_prefix(line_end.size());  // RFC 3261 section 7.5
    if (begins_with(text, "SIP/") == Recognized::yes) return Recognized::yes;
    const FirstWord word = first_word(text);
    return word.complete == Recognized::yes ? recognize_uri(word.rest) : word.complete;
}

}  // namespace sallyport::gate::sip
