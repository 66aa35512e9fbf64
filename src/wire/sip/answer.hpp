// The answers that a gateway gives itself (RFC 3261 section 8.2.6).
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "wire/sip/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::sip {

/// The phrase of a status that this program sends itself (RFC 3261 section 21); empty for any other.
std::string_view reason_phrase(unsigned status);

/// An ACK is never answered (RFC 3261 section 17), and neither is what is no request.
bool wants_answer(const Message& message);

struct Answer {
    std::uint16_t status = 400;
    /// For the To field where the request's has none: a token, never the same for two dialogs.
    std::string_view tag = {};
    std::optional<std::uint32_t> retry_after = {};  // seconds
    std::string_view warning = {};  // a sentence for people, sent as Warning 399; empty: none
    /// Who warns: the host by which the client knows this gateway, such as the public address that a NAT map announces.
    std::string_view agent = "sallyport";
    /// Where the request came from. Given, it is told in the topmost Via: as `received`, and as `rport` where that was
    /// asked for (RFC 3261 section 18.2.1, RFC 3581 section 4).
    std::optional<SocketAddress> client = {};
};

/// Bytes that write_answer can need at most, for a request with a head of `head` bytes.
constexpr std::size_t max_answer(std::size_t head, const Answer& answer) {
    return 2 * head + 2 * answer.warning.size() + answer.agent.size() + answer.tag.size() + 512;
}

/// Writes a response to `request`: its Via fields in their order, From, To with a tag, Call-ID, CSeq, and what the
/// answer adds. Folds become blanks. Of what the request lacks, nothing is written: `request` may be what parse_message
/// left of one that it refused.
void write_answer(ByteWriter& out, const Message& request, const Answer& answer);

}  // namespace sallyport::sip
