// The syntax of names that an admin writes: services, hosts, URL rules.
#pragma once

#include "config/config.hpp"
#include "config/problem.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sallyport::config {

/// A DNS name that a host may have (RFC 1123 section 2.1; the underscore of practice is let through). A name whose last
/// label is all digits is none: it is a mistyped IPv4 address.
bool is_host_name(std::string_view text);

/// What is wrong with a service's name in that protocol, or nothing.
std::optional<Complaint> check_service_name(Protocol protocol, std::string_view name);

/// The form that names are compared in: lower case, addresses as they print. Only for names that passed the check.
std::string canonical_service_name(Protocol protocol, std::string_view name);

/// What is wrong with a rule of allow_url, or nothing. Rules that no request can match are wrong: what they look for
/// is refused before any rule is asked.
std::optional<Complaint> check_url_rule(std::string_view rule);

}  // namespace sallyport::config
