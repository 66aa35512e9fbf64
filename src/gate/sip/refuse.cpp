#include "gate/sip/refuse.hpp"

#include "crypto/hash.hpp"
#include "wire/sip/answer.hpp"

#include <algorithm>
#include <array>
#include <iterator>

namespace sallyport::gate::sip {

namespace {

using namespace sallyport::sip;
using telemetry::Reason;

constexpr std::uint16_t unavailable = 503;
constexpr std::uint32_t retry_after = 10;  // seconds: phones that hear 503 without it may stay away for an hour

struct Row {
    Reason reason;
    std::uint16_t status;
};

constexpr Row rows[] = {
    {Reason::service_no_name, 403}, {Reason::service_unknown, 404},    {Reason::acl_denied, 403},
    {Reason::ban_active, 403},      {Reason::cert_missing, 403},       {Reason::cert_untrusted, 403},
    {Reason::cert_expired, 403},    {Reason::cert_name_mismatch, 403}, {Reason::peek_timeout, 408},
    {Reason::peek_malformed, 400},  {Reason::peek_too_large, 513},     {Reason::protocol_mismatch, 400},
};

// Room for an answer to any head: what write_answer needs at most.
std::size_t room_for(const Message& request, const Answer& answer) {
    std::size_t head = 0;
    for (const Field& field : request.fields) head += field.name.size() + field.value.size() + 16;
    return max_answer(head, answer);
}

}  // namespace

Reason reason_of(MessageError error) {
    switch (error) {
        case MessageError::tls_hello: return Reason::tls_on_plain_port;
        case MessageError::start_line_too_long:
        case MessageError::too_many_fields:
        case MessageError::head_too_large:
        case MessageError::body_too_large: return Reason::peek_too_large;
        case MessageError::unsupported_version: return Reason::protocol_unsupported;
        default: return Reason::peek_malformed;
    }
}

std::uint16_t status_of(Reason reason) {
    const auto* row = std::ranges::find(rows, reason, &Row::reason);
    return row == std::end(rows) ? unavailable : row->status;
}

std::string write_refusal(const Message& request, const Refused& refused) {
    if (!wants_answer(request)) return {};
    std::string warning(text_of(refused.reason).cause);
    if (!refused.detail.empty()) warning += " (" + std::string(refused.detail) + ")";
    warning += " [" + std::string(telemetry::code(refused.reason)) + "]";
    Answer answer{.status = refused.status != 0 ? refused.status : status_of(refused.reason),
                  .tag = refused.tag,
                  .warning = warning,
                  .client = refused.client};
    if (answer.status == unavailable) answer.retry_after = retry_after;
    std::string out(room_for(request, answer), '\0');
    ByteWriter writer(std::as_writable_bytes(std::span(out)));
    write_answer(writer, request, answer);
    if (!writer.ok()) return {};
    out.resize(writer.size());
    return out;
}

std::string new_tag() {
    std::array<std::byte, 9> random;
    crypto::fill_random(random);
    std::string tag = crypto::to_base64(random);
    for (char& c : tag) {
        if (c == '/' || c == '+') c = c == '/' ? '-' : '.';  // characters of a token
    }
    return tag;
}

}  // namespace sallyport::gate::sip
