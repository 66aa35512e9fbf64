// Any bytes at all: a head that is accepted lies within the input, no shorter piece of it is accepted or refused, what
// follows it changes nothing, and what is answered to it reads back as a response of the same transaction.
#include "base/fuzzing.hpp"
#include "wire/sip/answer.hpp"
#include "wire/sip/credentials.hpp"
#include "wire/sip/message.hpp"
#include "wire/sip/route.hpp"

#include <algorithm>
#include <vector>

namespace {

using sallyport::Bytes;
using namespace sallyport::sip;
using sallyport::fuzzing::require;
using sallyport::fuzzing::require_inside;

// A line end in a value is a fold, with a blank behind it.
void require_folds(std::string_view value) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '\n') require(i > 0 && value[i - 1] == '\r');
        if (value[i] != '\r') continue;
        require(i + 2 < value.size() && value[i + 1] == '\n' && (value[i + 2] == ' ' || value[i + 2] == '\t'));
    }
}

void check(const Message& message, Bytes input) {
    require(message.is_request() != message.is_response());
    for (const auto view : {message.method, message.request_uri, message.reason, top_branch(message)}) {
        require_inside(view, input);
    }
    require(message.is_request() == (message.status == 0) && message.body_length <= max_body);
    for (const Field& field : message.fields) {
        require(!field.name.empty());
        require_inside(field.name, input);
        require_inside(field.value, input);
        require_folds(field.value);
    }
    const auto name = route_name(message);
    require(!name || (Host::parse(name->host.text()) && *Host::parse(name->host.text()) == name->host));
    is_stale(message);
}

void check_answer(const Message& request, std::size_t size) {
    for (const auto client :
         {std::optional<sallyport::SocketAddress>(), sallyport::SocketAddress::parse("[::1]:5060")}) {
        const Answer answer{.status = 403, .tag = "t", .retry_after = 1, .warning = "\"\\\x01", .client = client};
        std::vector<std::byte> room(max_answer(size, answer));
        sallyport::ByteWriter out(room);
        write_answer(out, request, answer);
        require(out.ok());
        Message response;
        const auto result = parse_message(out.written(), response);
        // What an answer adds to as many fields as a head may have at all is one too many.
        if (result.refused())
            require(result.error == MessageError::head_too_large || result.error == MessageError::too_many_fields);
        if (!result.complete()) continue;
        require(response.is_response() && result.length == out.size());
        require(top_branch(response) == top_branch(request) || client.has_value());
        require(count(response.fields, FieldKind::via) == count(request.fields, FieldKind::via));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(reinterpret_cast<const std::byte*>(data), size);
    Message message;
    const MessageResult result = parse_message(input, message);
    require(result.leading <= size && result.leading % 2 == 0);
    if (result.complete()) {
        require(result.length <= size && result.length - result.leading <= max_head);
        check(message, input);
    }
    if (!result.need_more()) check_answer(message, size);

    const std::size_t whole = result.complete() ? result.length : size + 1;
    Message again;
    for (std::size_t n = 0; n < std::min<std::size_t>(size, 512); ++n) {
        const MessageResult cut = parse_message(input.first(n), again);
        if (n >= whole)
            require(cut.complete() && cut.length == whole);
        else
            require(result.complete() ? cut.need_more() : !cut.complete());
        if (result.need_more()) require(cut.need_more());
    }
    return 0;
}
