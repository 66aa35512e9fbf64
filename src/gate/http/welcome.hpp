#pragma once

#include "wire/http/head.hpp"

#include <string>
#include <string_view>

namespace sallyport::gate::http {

/// The answer of `target = "builtin:welcome"`: shows that a gateway runs and which name it was asked for.
/// @param name  as the client asked for it. Untrusted.
std::string welcome_page(sallyport::http::Method method, std::string_view name, bool keep_alive);

}  // namespace sallyport::gate::http
