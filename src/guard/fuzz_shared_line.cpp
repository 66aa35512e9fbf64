// Whatever stands in a shared Redis: no crash, and what passes as a line is written back as it was read.
#include "base/bytes.hpp"
#include "guard/keeper.hpp"
#include "guard/shared_line.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto row = guard::parse_line(text);
    if (!row) return 0;
    if (guard::parse_line(guard::line_of(*row).text) != row) std::abort();
    const guard::Clocks present{SteadyTime{std::chrono::hours(1)}, WallTime{std::chrono::seconds(1'800'000'000)}};
    const auto entry = guard::entry_of(*row, present);
    if (entry && entry->expires <= present.now) std::abort();
    if (entry && entry->since > present.now) std::abort();
    return 0;
}
