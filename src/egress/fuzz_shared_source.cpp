// Whatever stands in a shared Redis: no crash, and what passes as a line is written back as it was read.
#include "base/bytes.hpp"
#include "egress/shared_line.hpp"

#include <chrono>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sallyport;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = egress::parse_shared_line(text);
    if (!read) return 0;
    const auto written = egress::shared_line(read->line, std::chrono::hours(1));
    const auto again = egress::parse_shared_line(written.text);
    if (!again || again->line != read->line) std::abort();
    if (again->known.who != read->known.who || again->known.rank != read->known.rank) std::abort();
    return 0;
}
