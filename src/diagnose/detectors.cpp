// The one list of what is looked for.
#include "diagnose/detectors/all.hpp"

#include <array>

namespace sallyport::diagnose {

std::span<const DetectorRow> detectors() {
    static constexpr std::array table{
        DetectorRow{"silent SYN", Sees::nothing, make_silent_syn},
    };
    return table;
}

}  // namespace sallyport::diagnose
