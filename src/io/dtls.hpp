// DTLS 1.2 (RFC 6347) whose datagrams somebody else receives and sends: a session of either side, and the server's
// side.
//
// No client costs memory before they have shown that they get what is sent to their address: the first ClientHello is
// answered by a cookie, made of the address and a secret, and only one that brings it back begins a session.
// OpenSSL 3.0 keeps the time of its retransmissions by the system's clock; tick() lets it look.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/credential.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace sallyport::io {

class DtlsClient;
class DtlsServer;
struct DtlsWire;

/// One association, as a client or its server has it.
class DtlsSession {
public:
    enum class State : std::uint8_t { shaking, open, ended };
    using Send = std::function<void(Bytes datagram)>;

    static constexpr std::size_t most_data = 16384;  // bytes of one record

    ~DtlsSession();
    DtlsSession(const DtlsSession&) = delete;
    DtlsSession& operator=(const DtlsSession&) = delete;

    State state() const { return state_; }
    /// Why the handshake failed: what is wrong with the certificate that was shown, or OpenSSL's words. Empty where it
    /// has not.
    const std::string& problem() const { return problem_; }
    /// Takes what the other side sent; `take` is called with the data of each record. Both are called within the call
    /// alone; `take` may write to this session.
    void receive(Bytes datagram, const Send& send, const std::function<void(Bytes data)>& take);
    /// Sends one record. Nothing while the session is not open, and nothing of more than most_data bytes.
    void write(Bytes data, const Send& send);
    /// Sends again what has been lost of a handshake. About once a second.
    void tick(const Send& send);
    /// Says goodbye (close_notify), which may be lost, and is ended.
    void end(const Send& send);

private:
    friend class DtlsClient;
    friend class DtlsServer;
    DtlsSession(ssl_st* ssl, std::shared_ptr<const void> contexts);
    void shake_hands();
    void give_up();

    std::shared_ptr<const void> contexts_;
    std::unique_ptr<DtlsWire> wire_;
    ssl_st* ssl_ = nullptr;
    State state_ = State::shaking;
    std::string problem_;
};

/// Belongs to one loop.
class DtlsServer {
public:
    struct Options {
        std::span<const std::string_view> protocols{};  // agreed to by ALPN, best first; they live for ever
    };
    /// @param credentials  the first is the default
    static Result<std::shared_ptr<DtlsServer>> create(std::span<const crypto::Credential> credentials, Options options);
    ~DtlsServer();

    /// Takes a datagram of a client that has no session. Null: it is not due one yet, or never. Else receive() with no
    /// bytes goes on with the hello, which the session keeps.
    std::unique_ptr<DtlsSession> accept(Bytes datagram, const SocketAddress& client, const DtlsSession::Send& send);

    /// Does this datagram begin an association, perhaps in place of another one (RFC 6347 section 4.2.8)?
    static bool begins(Bytes datagram);

private:
    struct Contexts;
    DtlsServer();
    std::unique_ptr<DtlsSession> make_spare() const;

    std::shared_ptr<Contexts> contexts_;
    std::unique_ptr<DtlsSession> spare_;  // what looks at the hellos of clients without a session
};

}  // namespace sallyport::io
