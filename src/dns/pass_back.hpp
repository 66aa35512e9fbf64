// An upstream's answer as one to this client: its ID and its spelling of the question, an OPT of our own, nothing else
// changed.
#pragma once

#include "wire/dns/answer.hpp"

namespace sallyport::dns {

/// Are these the same question: name without regard to case, type, class?
bool same_question(Bytes a, Bytes b);

/// @param message  a whole answer without OPT, to a question that is the same but for its case
/// @param options  of the upstream's OPT that are passed on
/// @param room     as much as may be sent: what doesn't fit is cut to the question, with TC
/// @return octets of `room`
Bytes pass_back(Bytes message, Bytes options, MutableBytes room, const Asked& asked, ExtendedError why);

}  // namespace sallyport::dns
