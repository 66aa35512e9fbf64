// Hardware addresses of Ethernet and Wi-Fi, as text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

/// Forty-eight bits of hardware address, however it was written: "02:00:5e:10:00:01", "02-00-5E-10-00-01",
/// "0200.5e10.0001", "02005e100001". Answers the first form; nothing for other text.
std::optional<std::string> canonical_mac(std::string_view text);

}  // namespace sallyport
