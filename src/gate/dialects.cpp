// The one list of what the gate speaks. No self-registration: reading this file tells what is in the binary.
#include "gate/dialect.hpp"
#include "gate/h323/h323_dialect.hpp"
#include "gate/http/http_dialect.hpp"
#include "gate/ldap/ldap_dialect.hpp"
#include "gate/sip/sip_dialect.hpp"
#include "gate/tunnel.hpp"

#include <array>

namespace sallyport::gate {

std::span<const Dialect> dialects() {
    static constexpr std::array table{
        Dialect{config::Protocol::http, &config::Listen::http, &config::Listen::https, http::recognize, false,
                http::serve},
        Dialect{config::Protocol::sip, &config::Listen::sip, &config::Listen::sips, sip::recognize, false, sip::serve},
        Dialect{config::Protocol::ldap, &config::Listen::ldap, &config::Listen::ldaps, ldap::recognize, true,
                ldap::serve},
        Dialect{config::Protocol::h323, &config::Listen::h323, &config::Listen::h323s, h323::recognize, false,
                h323::serve},
    };
    return table;
}

}  // namespace sallyport::gate
