// Source addresses as programs read them, and as people do.
#pragma once

#include "egress/nat_map.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>

namespace sallyport::cli {

/// @param most  lines
nlohmann::json sources_json(const egress::Book& book, std::size_t most);
nlohmann::json pins_json(const egress::Book& book, std::size_t most);
/// How many go out from each address that anybody has.
nlohmann::json pool_json(const egress::Book& book);
nlohmann::json choice_json(const egress::Choice& choice, egress::Family family);
/// What a firewall translates: {"clients": [{"client", "source"}], "unplaced": ["user alice"]}.
nlohmann::json nat_json(const egress::NatMap& map, std::size_t most);
/// Back again. What makes no sense is left out.
egress::NatMap nat_of(const nlohmann::json& nat);
/// Those who go out from this address.
nlohmann::json users_json(const egress::Book& book, const IpAddress& source, std::size_t most);

/// Of /api/v1/egress and /api/v1/egress/whois.
std::string egress_text(const nlohmann::json& answer);
std::string whois_text(const nlohmann::json& answer);
/// RFC 4180, with a head: for the admin of the firewall outside.
std::string egress_csv(const nlohmann::json& answer);

}  // namespace sallyport::cli
