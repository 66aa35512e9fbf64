// Any text through the loader: it must answer with a configuration or with errors, and every problem must print.
#include "base/bytes.hpp"
#include "config/load.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::array<std::string_view, 2> presets{"mypbx", "reporting"};
    const auto text = as_text(std::as_bytes(std::span(data, size)));
    const auto loaded = config::load_text("fuzz/sallyport.toml", text, presets);
    if (loaded.config.has_value() != loaded.errors.empty()) std::abort();
    for (const auto& problem : loaded.errors) {
        if (config::to_text(problem, "error").empty()) std::abort();
    }
    for (const auto& problem : loaded.warnings) {
        if (config::to_text(problem, "warning").empty()) std::abort();
    }
    return 0;
}
