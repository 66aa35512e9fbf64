// Nonces that nobody has to remember: a time, and a code over it and the client's address that only we can make. Before
// a client has shown one it costs no memory.
#pragma once

#include "base/address.hpp"
#include "base/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::turn {

/// What the beginning of a nonce says of its server (RFC 8489 section 9.2): the cookie, and 24 bits of features in
/// base64. The bits count from the least significant, as the errata and the published message have it.
inline constexpr std::string_view nonce_cookie = "obMatJos2";
inline constexpr std::string_view nonce_features = "AAAD";  // password algorithms, username anonymity

/// One for all loops; any thread.
class Nonces {
public:
    static constexpr std::chrono::seconds lifetime = std::chrono::hours(1);  // RFC 8656 section 5 asks for no more
    static constexpr std::size_t size = nonce_cookie.size() + nonce_features.size() + 24;
    using Text = std::array<char, size>;

    Nonces();  // with a key of its own: none of an earlier run is valid

    Text make(const SocketAddress& client, WallTime now) const;
    /// Ours, for this client, and not too old?
    bool is_valid(std::string_view nonce, const SocketAddress& client, WallTime now) const;
    /// Does it begin as ours do, which promise that password algorithms are understood?
    static bool offers_algorithms(std::string_view nonce);

private:
    Text make(const SocketAddress& client, std::uint32_t seconds) const;

    std::array<std::byte, 32> key_;
};

}  // namespace sallyport::turn
