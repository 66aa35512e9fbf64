// Answers for an ACME client that proves by HTTP that a name is ours (RFC 8555 section 8.3): certbot, lego, uacme and
// their like write a file, the authority asks for it.
#pragma once

#include "gate/http/connection.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::gate::http {

/// The token that a path asks for; empty when it asks for none. Nothing but letters, digits, '-' and '_', at most 128,
/// so that it names a file of one directory and nothing else.
std::string_view challenge_token(std::string_view path);

/// What the directory's file of that name holds: at most 4 KiB, no symbolic link. Read off the loop. Nothing when there
/// is no such file, or the disk has had no time for it within 5 seconds.
io::Task<std::optional<std::string>> read_challenge(Connection& connection, std::filesystem::path directory,
                                                    std::string token);

}  // namespace sallyport::gate::http
