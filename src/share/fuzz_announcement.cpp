// What a gateway announces in a shared Redis: no crash, and what passes is written back as it was read.
#include "base/bytes.hpp"
#include "share/gateways.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport::share;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto announcement = parse_announcement("node", text);
    if (!announcement) return 0;
    if (parse_announcement("node", announcement_line(*announcement)) != announcement) std::abort();
    if (announcement->addresses.size() > Gateways::most_addresses) std::abort();
    return 0;
}
