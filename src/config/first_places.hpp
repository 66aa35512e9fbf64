// For checks between keys: what stood where before.
#pragma once

#include "config/place.hpp"

#include <map>
#include <string>
#include <utility>

namespace sallyport::config {

inline std::string where(const Place& place) { return place.file + ':' + std::to_string(place.line); }

class FirstPlaces {
public:
    /// Where `name` stood before, or null and it is noted.
    const Place* before(std::string name, const Place& place) {
        const auto [at, fresh] = places_.try_emplace(std::move(name), place);
        return fresh ? nullptr : &at->second;
    }

private:
    std::map<std::string, Place> places_;
};

}  // namespace sallyport::config
