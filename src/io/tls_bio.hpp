// The BIO through which OpenSSL reads and writes a TlsSession's ciphertext.
#pragma once

struct bio_st;

namespace sallyport::io {

class TlsSession;

/// A BIO that calls session.bio_read and session.bio_write. The session must outlive it.
bio_st* new_tls_bio(TlsSession& session);

/// The session that such a BIO was made for.
TlsSession& session_of(bio_st& bio);

}  // namespace sallyport::io
