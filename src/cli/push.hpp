// `sallyport push`: would devices reach Apple, and which of them do.
#pragma once

#include "cli/verbs.hpp"

#include <string>

namespace sallyport::cli {

/// Stand-alone: from the configuration's file, whether or not a gateway runs.
/// @param as  the address of the device whose source is used; empty: of one that nobody has met
Exit push_check(const Common& common, const std::string& as);
/// What the running gateway knows of the devices.
Exit push_devices(const Common& common);

}  // namespace sallyport::cli
