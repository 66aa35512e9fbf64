// The configuration's schema for editors: with it they complete keys, show what each means, and mark what is unknown.
#pragma once

#include <nlohmann/json.hpp>

namespace sallyport::cli {

/// JSON Schema (draft 2020-12) of sallyport.toml, from the table that loading itself reads.
nlohmann::json editor_schema();

}  // namespace sallyport::cli
