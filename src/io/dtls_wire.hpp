// The BIO through which OpenSSL reads and writes the datagrams of a DTLS session. Internal to io/.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "io/dtls.hpp"

struct bio_st;

namespace sallyport::io {

/// Both ends of a session's BIO, as far as they lie outside of OpenSSL: within a call, one datagram that has come, and
/// where the datagrams of the answer go.
struct DtlsWire {
    Bytes in = {};
    const DtlsSession::Send* send = nullptr;
    SocketAddress client = {};  // of a server's session, while its cookie is made or checked
};

/// The wire must outlive it.
bio_st* new_dtls_bio(DtlsWire& wire);

/// The wire that such a BIO was made for.
DtlsWire& wire_of(bio_st& bio);

}  // namespace sallyport::io
