// The little LDAP that a benchmark needs (RFC 4511): what a telephone asks of a directory, and the directory's answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::bench {

/// A simple bind by a DN whose DC parts say the domain.
std::string bind_request(std::string_view domain);
std::string bind_response();

/// Numbered::place stands where the message id belongs.
std::string search_request(std::string_view domain);
/// So many entries, each with a value of `size` bytes beside its small ones, and the end of the search.
std::string search_answer(std::string_view domain, unsigned entries, std::uint64_t size);

}  // namespace sallyport::bench
