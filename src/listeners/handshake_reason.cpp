#include "listeners/handshake_reason.hpp"

namespace sallyport::listeners {

using telemetry::Reason;

Reason reason_of(io::TlsFailure failure) {
    switch (failure) {
        case io::TlsFailure::none:
        case io::TlsFailure::cancelled: return Reason::ok;
        case io::TlsFailure::timeout: return Reason::tls_timeout;
        case io::TlsFailure::plain_http: return Reason::tls_plain_on_tls_port;
        case io::TlsFailure::closed:
        case io::TlsFailure::protocol:
        case io::TlsFailure::certificate: return Reason::tls_handshake;
    }
    return Reason::tls_handshake;
}

}  // namespace sallyport::listeners
