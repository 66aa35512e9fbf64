// What a bind, or another first request, asks the gate for.
#pragma once

#include "wire/ldap/message.hpp"

#include <string>

namespace sallyport::gate::ldap {

struct Asked {
    std::string domain;  // to route by; empty: it names none
    std::string said;    // what was asked for, for the record: the domain, else the name as it came
    std::string why_none;  // it names no domain: for people
    bool sasl = false;     // from here on its bytes may be sealed
    bool malformed = false;  // no bind of LDAP version 3: nothing that any service could be asked
};

/// @param head  of a client's request, of whatever operation
Asked read_asked(const sallyport::ldap::MessageHead& head);

}  // namespace sallyport::gate::ldap
