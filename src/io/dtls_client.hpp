// The client's side of DTLS 1.2: sessions that begin here, and that verify who answers.
#pragma once

#include "base/result.hpp"
#include "io/dtls.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace sallyport::io {

/// Belongs to one loop.
class DtlsClient {
public:
    struct Options {
        std::vector<std::string> ca_pems{};  // empty: the system's trust store
        bool verify = true;  // chain and name
        std::span<const std::string_view> protocols{};  // offered by ALPN (RFC 7301), best first
    };
    static Result<std::shared_ptr<DtlsClient>> create(const Options& options);
    ~DtlsClient();
    DtlsClient(const DtlsClient&) = delete;
    DtlsClient& operator=(const DtlsClient&) = delete;

    /// A session whose first receive(), with no bytes, sends the hello.
    /// @param name  the host name to send as SNI and to verify against; an IP address is verified and not sent.
    std::unique_ptr<DtlsSession> connect(const std::string& name) const;

private:
    DtlsClient();
    ssl_ctx_st* context_;
    bool verify_ = true;
};

}  // namespace sallyport::io
