// A client's question as one to an upstream: its ID and OPT belong to one hop alone (RFC 6891 section 6.2.3), and the
// case of its letters is thrown by coin, which whoever forges an answer has to guess.
#pragma once

#include "dns/upstream.hpp"
#include "wire/dns/message.hpp"

#include <cstddef>
#include <vector>

namespace sallyport::dns {

/// Whatever asks for more than the plain question has an answer of its own: it is not cached, and nobody joins it.
bool is_plain(const Query& query);

/// Copies options of an OPT, without those of one hop and those that there is no room for. Answers the octets written.
std::size_t copy_options(Bytes options, MutableBytes room);

/// The message to be sent, with an ID of 0: each try has its own.
std::vector<std::byte> pass_on(const Query& query, Randoms& randoms);

}  // namespace sallyport::dns
