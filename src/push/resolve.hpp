// Asking name servers about one host, apart from what clients are told: couriers are looked up where connections go
// out, and whether one exists at all is nobody's to decide but Apple's.
#pragma once

#include "base/address.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"
#include "wire/dns/message.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::push {

struct HostAnswer {
    enum class State : std::uint8_t { exists, absent, failed };
    State state = State::failed;
    std::vector<IpAddress> addresses = {};  // may be none of a host that exists
    std::uint32_t ttl = 0;  // seconds that it holds
    std::string detail = {};  // for people, where it failed
};

inline constexpr std::size_t most_addresses = 32;  // of one host; further ones are left out

/// The name servers that the system asks: "nameserver" lines of resolv.conf(5), port 53.
std::vector<SocketAddress> servers_of_system(std::string_view resolv_conf);

/// A question for one host, with RD and an OPT, so that eight addresses of each kind fit. Empty where it is no name.
std::vector<std::byte> write_host_query(std::uint16_t id, std::string_view host, std::uint16_t type);

/// Reads the answer to `query`. Nothing where it is none: another ID, another question (RFC 5452 section 9.1), cut off.
/// Takes the addresses of the chain of CNAMEs that begins at the question, and no others.
std::optional<HostAnswer> read_host_answer(Bytes query, Bytes message);

/// What one server's answers about both kinds of addresses come to; nothing: it was silent about that kind. One kind is
/// enough to go on with, for a short time. To have none of the one and to be silent about the other is a failure: a
/// lost datagram must not pass for a host without addresses.
HostAnswer joined(const std::array<std::optional<HostAnswer>, 2>& answers);

/// Both kinds of addresses, from the first server that knows. A server that is silent for a second or fails is followed
/// by the next, twice around.
io::Task<HostAnswer> ask_for_host(io::Loop& loop, io::Cancellation& cancellation, std::vector<SocketAddress> servers,
                                  std::string host);

}  // namespace sallyport::push
