// Any bytes at all: a head that is accepted lies within the input, no shorter piece of it is accepted, and what follows
// it changes nothing.
#include "base/fuzzing.hpp"
#include "wire/http/head.hpp"

#include <algorithm>

namespace {

using sallyport::Bytes;
using namespace sallyport::http;
using sallyport::fuzzing::require;
using sallyport::fuzzing::require_inside;

void check(const ResponseHead& head, Bytes input) {
    require_inside(head.reason, input);
    require(head.status >= 100 && head.status <= 599);
    for (const Field& field : head.fields) {
        require(!field.name.empty());
        require_inside(field.name, input);
        require_inside(field.value, input);
        require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    }
    require(!head.keep_alive || head.framing != Framing::until_close());
    require(!head.interim() || head.framing == Framing::none());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Method asked = data[0] == '-' ? Method::head : Method::get;  // the first byte chooses the request
    const Bytes input = Bytes(reinterpret_cast<const std::byte*>(data), size).subspan(1);
    --size;
    ResponseHead head;
    const HeadResult result = parse_response(input, asked, head);
    if (result.complete()) {
        require(result.length <= size);
        check(head, input);
    }
    // A shorter piece of a head asks for more; of what is refused or unfinished, none may be accepted.
    const std::size_t whole = result.complete() ? result.length : size + 1;
    for (std::size_t n = 0; n < std::min<std::size_t>(size, 512); ++n) {
        const HeadResult cut = parse_response(input.first(n), asked, head);
        if (n >= whole)
            require(cut.complete() && cut.length == whole);
        else
            require(result.complete() ? cut.need_more() : !cut.complete());
        if (result.need_more()) require(cut.need_more());
    }
    return 0;
}
