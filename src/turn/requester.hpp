// The client's side of TURN without sockets: what it asks, signed, and what it makes of an answer. For the self-test
// and for measurements.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "turn/integrity.hpp"
#include "turn/opaque_string.hpp"
#include "wire/stun/message.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sallyport::turn {

class Requester {
public:
    using Add = std::function<void(stun::MessageWriter&)>;

    /// @param user, password  of a long-term credential
    Requester(const std::string& user, const std::string& password)
        : user_(opaque_string(user)), password_(opaque_string(password)) {}

    /// The next request, with what `add` puts into it, and signed as soon as the server has told its realm. A view that
    /// lives until the next call. Empty when it did not fit.
    Bytes request(stun::Method method, const Add& add = {});

    Bytes binding() { return request(stun::Method::binding); }
    Bytes allocate();
    /// @param lifetime  in seconds; 0 ends the allocation
    Bytes refresh(std::uint32_t lifetime);
    Bytes permit(const IpAddress& peer);
    Bytes bind_channel(std::uint16_t number, const SocketAddress& peer);
    /// Data by a Send indication, which nobody answers.
    Bytes indicate(const SocketAddress& peer, Bytes data);

    struct Answer {
        enum class Kind : std::uint8_t {
            stray,  // not the answer to the last request
            again,  // the server has told its realm or a new nonce: the same request is due again, once
            done,
            refused,  // with `code`
        };
        Kind kind = Kind::stray;
        std::uint16_t code = 0;
        std::optional<SocketAddress> mapped = {};
        std::optional<SocketAddress> relayed = {};
    };
    /// @param bytes  one datagram, or one frame of a stream
    Answer take(Bytes bytes);

private:
    bool learn(const stun::Message& challenge);

    static constexpr std::size_t room = 2048;  // of a request

    std::string user_;
    std::string password_;
    std::string realm_;
    std::string nonce_;
    Key key_;
    std::array<std::byte, room> room_{};
    stun::TransactionId transaction_{};
};

}  // namespace sallyport::turn
