// The envelope of LDAP (RFC 4511 section 4.1.1): a message id, one operation, controls. Views into what was given,
// bounded reads, nothing allocated.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/ber/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::ldap {

/// The longest message that is read: octets of the whole LDAPMessage.
inline constexpr std::size_t max_message = std::size_t{64} * 1024;

enum class Sender : std::uint8_t { client, server };

/// Tags of protocolOp (RFC 4511 sections 4.2 to 4.14).
namespace op {
inline constexpr std::uint8_t bind_request = 0x60;
inline constexpr std::uint8_t bind_response = 0x61;
inline constexpr std::uint8_t unbind_request = 0x42;
inline constexpr std::uint8_t search_request = 0x63;
inline constexpr std::uint8_t search_entry = 0x64;
inline constexpr std::uint8_t search_done = 0x65;
inline constexpr std::uint8_t search_reference = 0x73;
inline constexpr std::uint8_t modify_request = 0x66;
inline constexpr std::uint8_t modify_response = 0x67;
inline constexpr std::uint8_t add_request = 0x68;
inline constexpr std::uint8_t add_response = 0x69;
inline constexpr std::uint8_t delete_request = 0x4A;
inline constexpr std::uint8_t delete_response = 0x6B;
inline constexpr std::uint8_t modify_dn_request = 0x6C;
inline constexpr std::uint8_t modify_dn_response = 0x6D;
inline constexpr std::uint8_t compare_request = 0x6E;
inline constexpr std::uint8_t compare_response = 0x6F;
inline constexpr std::uint8_t abandon_request = 0x50;
inline constexpr std::uint8_t extended_request = 0x77;
inline constexpr std::uint8_t extended_response = 0x78;
inline constexpr std::uint8_t intermediate_response = 0x79;
}  // namespace op

struct Operation {
    std::uint8_t tag = 0;
    std::uint8_t response = 0;  // the tag of the message that ends the answer to it; 0: it has none
    Sender sender = Sender::client;
    std::string_view name;  // as RFC 4511 spells it
};

/// Null for a tag that RFC 4511 does not have.
const Operation* find_operation(std::uint8_t tag);

struct MessageError {
    enum class What : std::uint8_t {
        not_ldap,  // does not begin as a SEQUENCE
        encoding,  // `ber` says how
        too_large,  // longer than the reader takes
        bad_id,  // outside 1 to 2^31-1; 0 is for unsolicited notifications of servers (section 4.4)
        unknown_operation,  // none that this sender may send
    };

    What what = What::not_ldap;
    ber::Error ber = ber::Error::wrong_tag;

    bool operator==(const MessageError&) const = default;
};

/// A phrase for people, in lower case, without a period.
std::string_view text(MessageError error);

/// What the first octets of a message say; all that is needed to step over it.
struct MessageStart {
    std::uint64_t length = 0;  // octets of the whole message
    std::int32_t id = 0;  // 0 to 2^31-1
    std::uint8_t op = 0;  // of the application class, in one octet; otherwise unchecked
};

/// The octets after which a start is there or refused: two headers of 6, an id of 4, the operation's tag.
inline constexpr std::size_t max_message_start = 17;

/// @param limit  octets: a longer message is refused as soon as its length is there.
/// @return nothing while the bytes end before the operation's tag.
Result<std::optional<MessageStart>, MessageError> read_message_start(Bytes bytes, std::uint64_t limit);

/// Constructed elements around a MessageHead's operation contents: the message and the operation.
inline constexpr unsigned operation_depth = 2;

struct MessageHead {
    std::size_t length = 0;  // octets of the whole message; what is behind it belongs to the next one
    std::int32_t id = 0;
    std::uint8_t op = 0;
    Bytes operation = {};  // contents of protocolOp
    Bytes controls = {};  // contents of [0] (section 4.1.11); empty where there are none
};

struct MessageResult {
    enum class State : std::uint8_t { need_more, complete, refused };

    State state = State::need_more;
    MessageError error = {};  // where refused
};

/// Reads one message of at most max_message octets, and looks at each element in it down to the last leaf. What is
/// wrong with the start of it is refused before the rest comes. A server answers a refusal with a notice of
/// disconnection (section 4.1.1).
/// @param bytes  all that has come since the last message.
/// @param head  filled where the answer is complete; views into `bytes`.
MessageResult read_message_head(Bytes bytes, Sender sender, MessageHead& head);

}  // namespace sallyport::ldap
