// The little SIP that a benchmark needs (RFC 3261 section 11): the ping by OPTIONS with which a telephone keeps its
// connection, and the answer. Numbered::place stands where one transaction differs from the next.
#pragma once

#include <string>
#include <string_view>

namespace sallyport::bench {

std::string options_request(std::string_view domain);
std::string options_answer(std::string_view domain);

}  // namespace sallyport::bench
