// RADIUS accounting (RFC 2866) as this gateway takes it: only what a server that knows the secret has said.
#pragma once

#include "base/time.hpp"
#include "crypto/hash.hpp"
#include "egress/people.hpp"
#include "wire/radius/radius.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace sallyport::egress {

/// Reads an Accounting-Request and checks its Request Authenticator, in constant time (RFC 2866 section 3). Nothing
/// where it is none, or was not made with this secret. An empty secret believes nobody.
std::optional<radius::Accounting> read_genuine(Bytes datagram, std::string_view secret);

/// The acknowledgment, as it goes out.
std::array<std::byte, radius::head_size> acknowledge(const radius::Accounting& request, std::string_view secret);

/// Notes what was said. The access server is the one that the packet names: at `from` there may be another that passes
/// on what several say. Answers the addresses behind which is somebody else now.
std::vector<IpAddress> note(const radius::Accounting& said, const IpAddress& from, WallTime now, People& people);

}  // namespace sallyport::egress
