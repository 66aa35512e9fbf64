// The head of a message: the start-line (RFC 3261 sections 7.1 and 7.2), then what its fields say together.
#include "wire/sip/message.hpp"

#include "base/text.hpp"
#include "wire/sip/scanner.hpp"
#include "wire/sip/text.hpp"
#include "wire/sip/uri.hpp"

#include <algorithm>
#include <utility>

namespace sallyport::sip {

namespace {

constexpr char tls_handshake = '\x16';  // the first byte of every TLS connection (RFC 8446 section 5.1)
constexpr std::uint32_t max_cseq = 0x7FFF'FFFF;

// "2.0" and nothing else, behind "SIP/". A version that is well-formed is told from one that is not.
bool read_version(Scanner& scan, bool& supported) {
    std::string_view major;
    std::string_view minor;
    if (!scan.one('/', MessageError::bad_version) || !scan.digits(MessageError::bad_version, major)) return false;
    if (!scan.one('.', MessageError::bad_version) || !scan.digits(MessageError::bad_version, minor)) return false;
    supported = major == "2" && minor == "0";
    return true;
}

bool read_status_line(Scanner& scan, Message& message) {
    message.kind = Message::Kind::response;
    std::string_view status;
    if (!scan.digits(MessageError::bad_status, status)) return false;
    message.status = parse_number<std::uint16_t>(status).value_or(0);
    if (status.size() != 3 || message.status < 100 || message.status > 699) {
        return scan.refuse(MessageError::bad_status);
    }
    // Some targets leave away the blank where no phrase follows.
    if (scan.next_is('\r')) return scan.line_end(MessageError::bad_status);
    return scan.one(' ', MessageError::bad_status) && scan.text(message.reason) &&
           scan.line_end(MessageError::control_character);
}

// A scheme and something behind it; which URIs mean anything is for the target to say.
bool is_request_uri(std::string_view text) {
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon != 0 && colon + 1 != text.size();
}

bool read_request_line(Scanner& scan, std::string_view method, Message& message, bool& supported) {
    if (method.size() > max_method) return scan.refuse(MessageError::bad_method);
    message.method = method;
    if (!scan.one(' ', MessageError::bad_method)) return false;
    if (!scan.run(request_uri_set, MessageError::bad_request_uri, message.request_uri)) return false;
    if (!scan.one(' ', MessageError::bad_request_uri)) return false;
    if (scan.skip("SIP/2.0\r\n")) {  // so end nearly all; what differs is told apart below
        message.kind = Message::Kind::request;
        supported = true;
        return is_request_uri(message.request_uri) || scan.refuse(MessageError::bad_request_uri);
    }
    // "INVITE sip:a@b;x SIP/2.0" and not "INVITE sip:a@b; x SIP/2.0".
    std::string_view protocol;
    if (!scan.run(token_set, MessageError::bad_version, protocol)) return false;
    if (!equals_ignoring_case(protocol, "SIP")) return scan.refuse(MessageError::bad_version);
    message.kind = Message::Kind::request;
    if (!read_version(scan, supported) || !scan.line_end(MessageError::bad_version)) return false;
    return is_request_uri(message.request_uri) || scan.refuse(MessageError::bad_request_uri);
}

bool read_start_line(Scanner& scan, Message& message, bool& supported) {
    if (scan.skip("SIP/2.0 ")) {  // so begin nearly all responses
        supported = true;
        return read_status_line(scan, message);
    }
    std::string_view first;
    if (!scan.run(token_set, MessageError::bad_method, first)) return false;
    if (!scan.next_is('/') || !equals_ignoring_case(first, "SIP"))
        return read_request_line(scan, first, message, supported);
    return read_version(scan, supported) && scan.one(' ', MessageError::bad_version) && read_status_line(scan, message);
}

// A line that is too long is refused for that, not for how it goes on.
bool is_start_line_too_long(std::string_view head) {
    return head.size() > max_start_line && head.substr(0, max_start_line + 1).find('\r') == std::string_view::npos;
}

constexpr std::uint32_t bit_of(FieldKind kind) { return std::uint32_t{1} << std::to_underlying(kind); }

// What an answer to a request is made of stands in it once (RFC 3261 sections 8.1.1 and 8.2.6.2).
constexpr std::uint32_t once_in_request = bit_of(FieldKind::to) | bit_of(FieldKind::call_id) | bit_of(FieldKind::cseq);

std::optional<MessageError> read_length(std::string_view value, bool repeated, Message& message) {
    if (value.empty() || !std::ranges::all_of(value, is_digit)) return MessageError::bad_length;
    const auto length = parse_number<std::uint64_t>(value);
    if (!length || *length > max_body) return MessageError::body_too_large;
    if (repeated && *length != message.body_length) return MessageError::several_lengths;
    message.body_length = *length;
    return std::nullopt;
}

std::optional<MessageError> check_cseq(std::string_view value, const Message& request) {
    const auto cseq = parse_cseq(value);
    return cseq && cseq->method == request.method ? std::nullopt : std::optional(MessageError::bad_cseq);
}

// Once over the fields: this is asked of every message.
std::optional<MessageError> read_meaning(Message& message) {
    std::uint32_t seen = 0;
    for (const Field& field : message.fields) {
        const std::uint32_t bit = bit_of(field.kind);
        const bool repeated = (seen & bit) != 0;
        seen |= bit;
        std::optional<MessageError> error;
        if (message.is_request() && repeated && (bit & once_in_request) != 0)
            error = MessageError::repeated_field;
        else if (field.kind == FieldKind::content_length)
            error = read_length(field.value, repeated, message);
        else if (field.kind == FieldKind::cseq && message.is_request())
            error = check_cseq(field.value, message);
        if (error) return error;
    }
    const bool endless =
        (seen & bit_of(FieldKind::content_type)) != 0 && (seen & bit_of(FieldKind::content_length)) == 0;
    return endless ? std::optional(MessageError::missing_length) : std::nullopt;
}

// Reads a head that begins at the front of `bytes`, which are max_head at most.
MessageResult read_head(Bytes bytes, Message& message) {
    Scanner scan(bytes);
    bool supported = false;
    if (scan.next_is(tls_handshake))
        scan.refuse(MessageError::tls_hello);
    else if (is_start_line_too_long(as_text(bytes)))
        scan.refuse(MessageError::start_line_too_long);
    else if (read_start_line(scan, message, supported) && scan.fields(message.fields)) {
        const auto error = supported ? read_meaning(message) : MessageError::unsupported_version;
        if (!error) return {.state = MessageResult::State::complete, .length = scan.consumed()};
        scan.refuse(*error);
    }
    if (scan.result().need_more() && bytes.size() == max_head) scan.refuse(MessageError::head_too_large);
    return scan.result();
}

std::size_t leading_line_ends(std::string_view text) {
    std::size_t size = 0;
    while (text.substr(size).starts_with("\r\n")) size += 2;
    return size;
}

}  // namespace

MessageResult parse_message(Bytes bytes, Message& message) {
    static_cast<MessageFacts&>(message) = {};
    message.fields.clear();

    const std::size_t leading = leading_line_ends(as_text(bytes));
    const Bytes head = bytes.subspan(leading);
    // Half of a further line end, perhaps.
    if (as_text(head) == "\r") return {.leading = leading};
    MessageResult result = read_head(head.first(std::min(head.size(), max_head)), message);
    result.leading = leading;
    if (result.complete()) result.length += leading;
    return result;
}

std::optional<CSeq> parse_cseq(std::string_view value) {
    const auto* const end = std::ranges::find_if_not(value, is_digit);
    const auto size = static_cast<std::size_t>(end - value.begin());
    const auto number = parse_number<std::uint32_t>(value.substr(0, size));
    std::string_view method = value.substr(size);
    if (!number || *number > max_cseq || method.empty() || !is_white(method.front())) return std::nullopt;
    skip_white(method);
    if (!is_all(token_set, method)) return std::nullopt;
    return CSeq{.number = *number, .method = method};
}

std::string_view top_branch(const Message& message) {
    const Field* via = find(message.fields, FieldKind::via);
    if (via == nullptr) return {};
    // Up to its parameters a Via holds neither quotes nor brackets, so a comma ends the topmost.
    std::string_view parameters = via->value;
    parameters.remove_prefix(std::min(parameters.find(';'), parameters.size()));
    if (via->value.substr(0, via->value.size() - parameters.size()).contains(',')) return {};
    while (const auto parameter = next_parameter(parameters)) {
        if (equals_ignoring_case(parameter->name, "branch")) return parameter->value;
    }
    return {};
}

}  // namespace sallyport::sip
