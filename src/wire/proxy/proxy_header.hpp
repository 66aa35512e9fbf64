// The PROXY protocol (HAProxy's proxy-protocol.txt, versions 1 and 2): what a proxy in front says, before the first
// byte of the connection it passes on, of the client's address and of the one that the client had connected to.
//
// Whoever may send a header may claim any address. So it is read only where a listener is configured for it and from
// trusted senders, and then it must be there (proxy-protocol.txt section 2): nothing here guesses.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::proxy {

inline constexpr std::size_t max_line = 107;  // bytes of version 1 with its CRLF (section 2.1)
inline constexpr std::size_t max_block = std::size_t{2} * 1024;  // bytes of addresses and TLVs in version 2
inline constexpr std::size_t max_header = 16 + max_block;  // of either version: with these, no answer is need_more

enum class HeaderError : std::uint8_t {
    not_proxy,  // the first bytes begin neither version
    malformed,  // or its checksum is wrong
    unsupported,  // version 2 only: another version, an unknown command, a family or transport that is not TCP's
    too_large,
};

/// A phrase for people, in lower case, without a period.
std::string_view text(HeaderError error);

struct Header {
    // The header says nothing of a client and the connection's own addresses hold: UNKNOWN in version 1, in version 2
    // LOCAL (a health check of the proxy itself) or a client without IP addresses.
    bool local = false;
    SocketAddress source = {};  // the client
    SocketAddress destination = {};  // what it connected to
};

struct HeaderResult {
    enum class State : std::uint8_t { need_more, complete, refused };

    State state = State::need_more;
    HeaderError error = HeaderError::not_proxy;  // where refused
    std::size_t length = 0;  // bytes of the whole header, where complete; the client's own follow
};

/// Reads a header of either version from the front of `bytes` and refuses it at the first byte that makes it wrong.
///
/// Called again from the start when more bytes have come: every prefix of a valid header answers need_more. Its TLVs
/// are checked and passed over, a checksum among them (section 2.2.3) is verified; LOCAL and AF_UNSPEC headers have
/// theirs ignored, as section 2.2 demands. An address that is IPv4-mapped is IPv4, as everywhere.
///
/// @param bytes   what has arrived so far, perhaps with what the client sent behind the header.
/// @param header  filled where the answer is complete, else left alone.
HeaderResult read_header(Bytes bytes, Header& header);

/// What a record says of a stranger who sends one.
inline constexpr std::string_view unexpected = "a PROXY header, and the sender's address is not in proxy_from";

/// Do the first bytes, six at the most, begin a header of either version? For telling a stranger why it was refused.
bool begins_like_header(Bytes bytes);

enum class Version : std::uint8_t { v1, v2 };

/// Writes the header of a connection, without TLVs: at most 104 bytes in version 1, 52 in version 2.
///
/// Where only one of the addresses is IPv4 it is written IPv4-mapped beside the other, in both versions. HAProxy does
/// the same, so what understands it understands this; UNKNOWN would lose the client, and some receivers refuse it.
void write_header(ByteWriter& out, Version version, const SocketAddress& source, const SocketAddress& destination);

/// Writes the header of a connection that is our own, a health check say: UNKNOWN in version 1, LOCAL in version 2.
void write_local_header(ByteWriter& out, Version version);

}  // namespace sallyport::proxy
