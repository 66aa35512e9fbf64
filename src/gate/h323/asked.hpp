// What a first message asks the gate for: whose registration it is, or whom it calls.
#pragma once

#include "gate/snapshot.hpp"
#include "wire/h323/call.hpp"
#include "wire/h323/q931.hpp"
#include "wire/h323/ras.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::gate::h323 {

/// A message as far as it can be read.
struct Heard {
    sallyport::h323::Q931Message q931;  // views of what was given
    bool answerable = false;  // its call reference and type are there
    std::optional<sallyport::h323::UserInformation> information;  // likewise
    std::vector<sallyport::h323::RasMessage> ras;  // whole ones, but for the last where `fault` is about it
    std::string fault;  // why it could not be read to its end, for people; empty: it was
};

/// @param message  of Q.931, without its TPKT
Heard hear(Bytes message);

struct Asked {
    std::vector<std::string> names;  // to route by: the first that a service has; empty: it names none
    std::string said;                // for the record: the name as it came
    std::string why_none;            // it names none, or is malformed: for people
    bool malformed = false;          // nothing that any service could be asked
};

/// By the gatekeeper id of a registration, else by the domain of an alias; a call by the domain of who is called.
Asked read_asked(const Heard& heard);

/// What a registration with this gatekeeper id asks for.
Asked asked_by_gatekeeper_id(std::string_view id);
/// What a call to this alias asks for.
Asked asked_by_called(const std::vector<sallyport::h323::Alias>& called);

/// The name to decide by: the first that a service has, else the first; empty: there is none.
std::string_view name_of(const Asked& asked, const Snapshot& routing);

}  // namespace sallyport::gate::h323
