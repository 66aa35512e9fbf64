// TLS on a Stream: contexts for both sides, and one session.
//
// OpenSSL reads and writes through a BIO of ours over the loop's staging buffers: one recv feeds many records, many
// records leave in one send, and an idle connection owns no buffer (SSL_MODE_RELEASE_BUFFERS). TLS 1.2 and later.
// A context belongs to one loop: OpenSSL 3.0 locks what threads share.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/credential.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

#include <array>
#include <memory>
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

enum class ClientCertificate : std::uint8_t { not_asked, optional };

class TlsServer {
public:
    struct Options {
        std::shared_ptr<const TicketKeys> ticket_keys;
        ClientCertificate client_certificate = ClientCertificate::not_asked;
        std::vector<std::string> trusted_ca_pems;  // for client certificates
    };
    /// @param credentials  the first is the default, for clients without SNI or with a name that none covers.
    static Result<std::shared_ptr<TlsServer>> create(std::span<const crypto::Credential> credentials, Options options);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    std::unique_ptr<TlsSession> accept() const;

private:
    struct Choice;
    TlsServer();
    std::shared_ptr<Choice> choice_;
};

class TlsClient {
public:
    struct Options {
        std::vector<std::string> ca_pems;  // empty: the system's trust store
        bool verify = true;                // chain and name
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
    closed,      // the peer went away in mid-handshake
    plain_http,  // the peer speaks HTTP without TLS
    protocol,    // no common version or cipher, malformed, or an alert
    certificate, // the peer's certificate does not hold
};

struct Handshake {
    TlsFailure failure = TlsFailure::none;
    std::string detail;  // OpenSSL's words, for the log
};

class TlsSession {
public:
    /// @param context  what OpenSSL's callbacks use: it lives as long as the session, also when it has been replaced.
    TlsSession(ssl_st* ssl, bool server, std::shared_ptr<const void> context = nullptr);
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    /// SNI as the client sent it, lower-cased; empty when it sent none.
    std::string server_name() const;
    /// Has the peer sent anything at all?
    bool heard() const { return heard_; }
    /// Did the peer announce the end (close_notify)? Anyone on the way can forge a FIN, so an end without it must not
    /// pass for one where only the end tells that all has come (RFC 8446 section 6.1).
    bool said_goodbye() const;

    // For Stream.
    void moved_to(Stream& stream) { stream_ = &stream; }
    Got read(MutableBytes into);
    Io write(Bytes bytes);
    void notify_close();

    // For the BIO: ciphertext in and out. -1: nothing now; 0: the socket has ended.
    int bio_read(char* out, int size);
    int bio_write(const char* in, int size);

private:
    friend Task<Handshake> handshake(Stream& stream, Deadline deadline);

    void begin_call();
    Io end_call();
    Io send_staged();
    Handshake failure_of(int result);

    std::shared_ptr<const void> context_;
    ssl_st* ssl_;
    Stream* stream_ = nullptr;
    Bytes staged_in_;  // ciphertext in the loop's buffer, within one call
    std::vector<std::byte> kept_in_;  // ciphertext that a call left over
    std::size_t kept_used_ = 0;
    std::size_t staged_out_ = 0;  // bytes in the loop's outgoing buffer, within one call
    bool heard_ = false;
    Io transport_ = Io::ok;  // what the socket said last
};

/// Does the handshake of the TLS session that is attached to `stream`.
Task<Handshake> handshake(Stream& stream, Deadline deadline);

}  // namespace sallyport::io
