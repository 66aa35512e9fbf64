// STUN messages (RFC 8489) as they lie in memory: read without copying, written into room that the caller has.
//
// A reader hands out only what integrity covers: attributes behind MESSAGE-INTEGRITY do not exist for it, but for
// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT (section 14.5). Of an attribute that stands twice the first counts.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "wire/stun/attribute.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

namespace sallyport::stun {

inline constexpr std::uint32_t magic_cookie = 0x2112A442;
inline constexpr std::size_t header_size = 20;

enum class Class : std::uint8_t { request = 0, indication = 1, success = 2, error = 3 };

/// RFC 8489 section 18.2, RFC 8656 section 17, RFC 6062 section 6.1.
enum class Method : std::uint16_t {
    binding = 0x001,
    allocate = 0x003,
    refresh = 0x004,
    send = 0x006,
    data = 0x007,
    create_permission = 0x008,
    channel_bind = 0x009,
    connect = 0x00A,
    connection_bind = 0x00B,
    connection_attempt = 0x00C,
};

using TransactionId = std::array<std::byte, 12>;

/// Why bytes are no message.
enum class Malformed : std::uint8_t {
    not_stun,   // the first two bits or the magic cookie
    truncated,  // less than the header announces
    length,     // more than it announces, or not in whole words
    overrun,    // an attribute that goes beyond the message
    trailing,   // something behind FINGERPRINT
};
/// A phrase for people, in lower case, without a period.
std::string_view text(Malformed malformed);

/// What integrity is computed over: the header with the length that counts up to the end of the integrity attribute
/// (RFC 8489 section 14.5), and the attributes before it.
struct IntegrityInput {
    std::array<std::byte, header_size> header;
    Bytes attributes;
    Bytes value;  // what the message claims: 20 bytes, or 16 to 32 with SHA-256
};

/// Are messages of RFC 3489 read as well, which have no magic cookie? Their addresses must not be xored ones.
enum class Classic : std::uint8_t { no, yes };

/// Views into the bytes it was read from. 250 bytes, no allocation.
class Message {
public:
    /// Most of the required attributes nobody knows that are remembered; an answer names no more.
    static constexpr std::size_t most_unknown = 8;

    Class kind() const { return kind_; }
    Method method() const { return method_; }
    const TransactionId& transaction() const { return transaction_; }
    /// The first word of what RFC 3489 had as a transaction of 16 bytes; since then it is always the same.
    std::uint32_t cookie() const { return cookie_; }
    bool is_classic() const { return cookie_ != magic_cookie; }

    bool has(Attribute attribute) const { return places_[index(attribute)].offset != 0; }
    /// The value; empty where it is empty and where it is not there.
    Bytes value(Attribute attribute) const;
    std::string_view text(Attribute attribute) const { return as_text(value(attribute)); }
    /// The first one, two, four or eight bytes as a number. Nothing when the value is shorter or not there.
    std::optional<std::uint64_t> number(Attribute attribute, std::size_t width) const;
    /// Nothing when it is not there or no address.
    std::optional<SocketAddress> address(Attribute attribute) const;
    /// Calls `f(SocketAddress or nothing)` for each attribute of this kind that is covered: the one place where RFCs
    /// let an attribute stand many times (RFC 8656 section 10.2).
    template <class F>
    void each_address(Attribute attribute, F&& f) const;

    /// A known attribute whose length is wrong: the request is a bad one.
    std::optional<Attribute> bad_attribute() const { return bad_; }
    /// Codes of required attributes that are not in the table.
    std::span<const std::uint16_t> unknown() const { return std::span(unknown_).first(unknown_count_); }

    /// @param attribute  message_integrity or message_integrity_sha256. Nothing when it is not there.
    std::optional<IntegrityInput> integrity(Attribute attribute) const;
    /// Is there a FINGERPRINT, and is it right? (RFC 8489 section 14.7)
    bool has_valid_fingerprint() const;

private:
    friend std::expected<Message, Malformed> read_message(Bytes bytes, Classic classic);
    struct Place {
        std::uint16_t offset = 0;  // of the value, from the start of the message; 0: not there
        std::uint16_t size = 0;
    };

    std::optional<SocketAddress> address_in(Bytes value, bool is_xored) const;
    std::optional<Malformed> read_attributes();
    bool take(std::uint16_t code, std::size_t offset, std::size_t size);
    void take_unknown(std::uint16_t code);

    Bytes bytes_;
    Class kind_ = Class::request;
    Method method_ = Method::binding;
    TransactionId transaction_{};
    std::uint32_t cookie_ = magic_cookie;
    std::array<Place, attribute_table.size()> places_{};
    std::array<std::uint16_t, most_unknown> unknown_{};
    std::uint8_t unknown_count_ = 0;
    std::optional<Attribute> bad_;
    std::size_t covered_ = 0;  // bytes before the first integrity attribute, or all
};

/// Reads a whole datagram, or one message that framing has cut out of a stream.
std::expected<Message, Malformed> read_message(Bytes bytes, Classic classic = Classic::no);

template <class F>
void Message::each_address(Attribute attribute, F&& f) const {
    ByteReader reader(bytes_.first(covered_).subspan(header_size));
    while (reader.remaining() >= 4) {
        const auto code = *reader.u16();
        const std::size_t size = *reader.u16();
        const auto value = reader.take(size);
        if (!value) return;  // can't be: the reader has seen it whole
        if (code == row_of(attribute).code) f(address_in(*value, row_of(attribute).is_xored));
        reader.take(-size % 4);
    }
}

/// Writes one message into room of a fixed size. What does not fit is remembered: finish() then answers nothing.
class MessageWriter {
public:
    /// @param cookie  of a message of RFC 3489, its request's
    MessageWriter(MutableBytes room, Class kind, Method method, const TransactionId& transaction,
                  std::uint32_t cookie = magic_cookie);

    void add(Attribute attribute, Bytes value);
    void add(Attribute attribute, std::string_view value) { add(attribute, as_bytes(value)); }
    void add_flag(Attribute attribute) { add(attribute, Bytes{}); }
    void add_u32(Attribute attribute, std::uint32_t value);
    void add_address(Attribute attribute, const SocketAddress& address);
    /// @param code  300 to 699
    void add_error(std::uint16_t code, std::string_view reason = {});
    /// ADDRESS-ERROR-CODE (RFC 8656 section 18.12). @param family  1: IPv4, 2: IPv6
    void add_family_error(std::uint8_t family, std::uint16_t code);
    void add_unknown(std::span<const std::uint16_t> codes);

    /// Everything so far, with the header's length as integrity wants it. Then the attribute itself is added.
    Bytes begin_integrity(std::size_t size);
    void add_fingerprint();

    /// The head of a Data or Send indication whose data is elsewhere: its bytes, and `padding` zeros, follow.
    /// Nothing when it does not fit.
    std::optional<Bytes> finish_before_data(std::size_t data_size);
    /// The message; nothing when it did not fit.
    std::optional<Bytes> finish();

private:
    void set_length(std::size_t after_header);
    void begin(Attribute attribute, std::size_t size);
    void pad(std::size_t size);

    MutableBytes room_;
    ByteWriter out_;
    TransactionId transaction_;
};

/// How many zeros follow a value of that length, so that the next attribute begins at a whole word.
constexpr std::size_t padding_after(std::size_t size) { return -size % 4; }

}  // namespace sallyport::stun
