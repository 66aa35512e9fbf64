// The manual's page on the configuration, written from the schema: docs/configuration.md is this text.
#pragma once

#include <string>

namespace sallyport::config {

/// The whole page, in Markdown.
std::string reference_markdown();

}  // namespace sallyport::config
