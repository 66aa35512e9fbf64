#include "diagnose/icmp_text.hpp"

#include <array>
#include <string_view>

namespace sallyport::diagnose {

namespace {

struct Row {
    bool v6;
    std::uint8_t type;
    std::uint8_t code;
    std::string_view text;
};
constexpr std::array rows{
    Row{false, 3, 0, "net unreachable"},
    Row{false, 3, 1, "host unreachable"},
    Row{false, 3, 2, "protocol unreachable"},
    Row{false, 3, 3, "port unreachable"},
    Row{false, 3, 4, "fragmentation needed"},
    Row{false, 3, 9, "net prohibited"},
    Row{false, 3, 10, "host prohibited"},
    Row{false, 3, 13, "administratively prohibited"},
    Row{false, 11, 0, "time to live exceeded"},
    Row{true, 1, 0, "no route"},
    Row{true, 1, 1, "administratively prohibited"},
    Row{true, 1, 3, "address unreachable"},
    Row{true, 1, 4, "port unreachable"},
    Row{true, 1, 5, "source address failed policy"},
    Row{true, 1, 6, "reject route"},
    Row{true, 2, 0, "packet too big"},
    Row{true, 3, 0, "hop limit exceeded"},
};

}  // namespace

std::string icmp_text(const IcmpError& error) {
    const std::string numbers = " (" + std::to_string(error.type) + "/" + std::to_string(error.code) + ")";
    const std::string protocol = error.v6 ? "ICMPv6 " : "ICMP ";
    for (const Row& row : rows) {
        if (row.v6 == error.v6 && row.type == error.type && row.code == error.code) {
            return protocol + std::string(row.text) + numbers;
        }
    }
    return protocol + "error" + numbers;
}

bool is_reject(const IcmpError& error) { return error.v6 ? error.type == 1 : error.type == 3 && error.code != 4; }
bool is_too_big(const IcmpError& error) { return error.v6 ? error.type == 2 : error.type == 3 && error.code == 4; }

}  // namespace sallyport::diagnose
