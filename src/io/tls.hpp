// TLS on a Stream: contexts for both sides, and one session.
//
// OpenSSL reads and writes through a BIO of ours over the loop's staging buffers: one recv feeds many records, many
// records leave in one send, and an idle connection owns no buffer (SSL_MODE_RELEASE_BUFFERS). TLS 1.2 and later.
// A context belongs to one loop: OpenSSL 3.0 locks what threads share.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "crypto/credential.hpp"
#include "crypto/trust.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace sallyport::io {

/// Keys that session tickets are sealed with: shared by all loops, kept over reloads, never stored.
struct TicketKeys {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher_key;
    std::array<unsigned char, 32> mac_key;

    static std::shared_ptr<const TicketKeys> random();
};

/// What a client has said of itself when it must be decided whether to ask for its certificate. Unverified bytes from
/// outside.
struct ClientSaid {
    std::string_view server_name;  // lower-cased, without a trailing dot; empty where it sent none
    bool offers_http = false;      // among the protocols of its ALPN extension (RFC 7301) is one of HTTP
    int port_kind = 0;             // as told to accept()
};

class TlsServer {
public:
    struct Options {
        std::shared_ptr<const TicketKeys> ticket_keys{};
        std::vector<std::string> trusted_ca_pems{};  // for client certificates
        /// Whether the client is asked to show one. Null: nobody is asked. An answer is never required, and every
        /// certificate passes: what it is worth is told by TlsSession::peer_certificate(). Lives as long as the last
        /// session; must not throw.
        std::function<bool(const ClientSaid& client)> asks_for_certificate{};
        /// The protocols that are agreed to by ALPN on a port of this kind, best first; a client that offers others
        /// gets none. Null: http/1.1. What it answers lives for ever; must not throw.
        std::function<std::span<const std::string_view>(int port_kind)> protocols{};
    };
    /// @param credentials  the first is the default, for clients without SNI or with a name that none covers.
    static Result<std::shared_ptr<TlsServer>> create(std::span<const crypto::Credential> credentials, Options options);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    /// @param port_kind  the caller's own tag, for asks_for_certificate
    std::unique_ptr<TlsSession> accept(int port_kind = 0) const;

private:
    struct Choice;
    TlsServer();
    std::shared_ptr<Choice> choice_;
};

class TlsClient {
public:
    struct Options {
        std::vector<std::string> ca_pems{};  // empty: the system's trust store
        bool verify = true;  // chain and name
        std::optional<crypto::Credential> credential{};  // shown to a peer that asks for one
    };
    static Result<std::shared_ptr<TlsClient>> create(Options options);
    ~TlsClient();
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    /// @param name  the host name to send as SNI and to verify against; an IP address is verified and not sent.
    std::unique_ptr<TlsSession> connect(const std::string& name) const;

private:
    TlsClient();
    ssl_ctx_st* context_ = nullptr;
    bool verify_ = true;
};

enum class TlsFailure : std::uint8_t {
    none,
    timeout,
    cancelled,
    closed,  // the peer went away in mid-handshake
    plain_http,  // the peer speaks HTTP without TLS
    protocol,  // no common version or cipher, malformed, or an alert
    certificate,  // the peer's certificate does not hold
};

struct Handshake {
    TlsFailure failure = TlsFailure::none;
    std::string detail;  // OpenSSL's words, for the log
};

/// What the peer showed of itself.
struct PeerCertificate {
    using Verdict = crypto::Verdict;
    Verdict verdict = Verdict::none;
    std::string detail;  // why it is not trusted, in OpenSSL's words
    std::vector<std::string> names;  // crypto::holder_names: whom it is for
    std::string subject;  // crypto::distinguished_name: fit for a header field
    std::string der;
    WallTime not_after;
};

class TlsSession {
public:
    static constexpr std::size_t most_first_bytes = 16;

    /// @param context  what OpenSSL's callbacks use: it lives as long as the session, also when it has been replaced.
    /// @param port_kind  of a server's session, as in accept()
    TlsSession(ssl_st* ssl, bool server, std::shared_ptr<const void> context = nullptr, int port_kind = 0);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// SNI as the client sent it, lower-cased; empty when it sent none.
    std::string server_name() const;
    /// The protocol that was agreed on by ALPN; empty where none was.
    std::string_view agreed_protocol() const;
    int port_kind() const { return port_kind_; }
    /// Has the peer sent anything at all?
    bool heard() const { return heard_; }
    /// What a client began with, at most 16 bytes: explains a handshake that failed. Not kept by a client's session.
    Bytes first_bytes() const { return Bytes(first_).first(first_size_); }
    /// Did the client bring the session of an earlier connection? Then its certificate is the one that it showed there.
    bool resumed() const;
    /// For a server's session, after the handshake. The verdict is that of the first handshake, where the certificate
    /// was held against the trust list and the loop's clock; only that it has not expired since is looked at anew, so
    /// who lets a session live for long asks again when not_after has passed.
    PeerCertificate peer_certificate() const;
    /// Did the peer announce the end (close_notify)? Anyone on the way can forge a FIN, so an end without it must not
    /// pass for one where only the end tells that all has come (RFC 8446 section 6.1).
    bool said_goodbye() const;

    // For Stream.
    void moved_to(Stream& stream) { stream_ = &stream; }
    Got read(MutableBytes into);
    Got peek(MutableBytes into);
    Io write(Bytes bytes);
    void notify_close();

    // For the BIO: ciphertext in and out. -1: nothing now; 0: the socket has ended.
    int bio_read(char* out, int size);
    int bio_write(const char* in, int size);

    // For OpenSSL's callbacks.
    WallTime wall() const { return stream_->loop().wall(); }
    void count_message(int content_type);

private:
    friend Task<Handshake> handshake(Stream& stream, Deadline deadline);

    Got read_new(MutableBytes into);
    void begin_call();
    Io end_call();
    Io send_staged();
    void keep_first(Bytes bytes);
    bool is_flooded() const;
    Handshake failure_of(int result);

    std::shared_ptr<const void> context_;
    ssl_st* ssl_;
    Stream* stream_ = nullptr;
    Bytes staged_in_;  // ciphertext in the loop's buffer, within one call
    std::vector<std::byte> kept_in_;  // ciphertext that a call left over
    std::size_t kept_used_ = 0;
    std::vector<std::byte> peeked_;  // plaintext that was looked at and not taken
    std::size_t staged_out_ = 0;  // bytes in the loop's outgoing buffer, within one call
    bool heard_ = false;
    Io transport_ = Io::ok;  // what the socket said last
    std::uint8_t messages_ = 0;  // handshake messages and alerts since a read found nothing unsent
    std::uint8_t first_size_ = 0;
    int port_kind_;
    std::uint32_t received_ = 0;  // bytes from the socket within one call
    std::array<std::byte, most_first_bytes> first_{};
};

/// Does the handshake of the TLS session that is attached to `stream`.
Task<Handshake> handshake(Stream& stream, Deadline deadline);

}  // namespace sallyport::io
