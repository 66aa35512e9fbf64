// The report as one HTML page without anything from elsewhere: for people who would rather look.
#pragma once

#include "diagnose/report.hpp"

#include <string>

namespace sallyport::diagnose {

std::string to_html(const Report& report);

}  // namespace sallyport::diagnose
