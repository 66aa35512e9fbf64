// For fuzz targets: what must hold, or the input is a finding.
#pragma once

#include "base/bytes.hpp"

#include <cstdlib>
#include <string_view>

namespace sallyport::fuzzing {

inline void require(bool holds) {
    if (!holds) std::abort();
}

/// An empty view may be anywhere.
inline void require_inside(Bytes view, Bytes whole) {
    require(view.empty() || (view.data() >= whole.data() && view.data() + view.size() <= whole.data() + whole.size()));
}
inline void require_inside(std::string_view view, Bytes whole) { require_inside(as_bytes(view), whole); }

}  // namespace sallyport::fuzzing
