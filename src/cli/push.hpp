// `sallyport push`: would devices reach Apple, and which of them do.
#pragma once

#include "cli/verbs.hpp"

namespace sallyport::cli {

/// Stand-alone: from the configuration's file, whether or not a gateway runs.
Exit push_check(const Common& common);
/// What the running gateway knows of the devices.
Exit push_devices(const Common& common);

}  // namespace sallyport::cli
