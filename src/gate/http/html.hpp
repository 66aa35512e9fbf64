// How our own pages look.
#pragma once

#include <string_view>

namespace sallyport::gate::http {

/// Light and dark, nothing from elsewhere.
inline constexpr std::string_view page_style =
    "<style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:36rem;margin:12vh auto;"
    "padding:0 1rem}h1{font-size:1.4rem}code{overflow-wrap:anywhere}small{opacity:.7}</style>";

}  // namespace sallyport::gate::http
