// Where something stands in a configuration file. Values that a rule trail, a check or an error may name keep theirs.
#pragma once

#include <string>

namespace sallyport::config {

struct Place {
    std::string file;     // as the file was asked for; empty: it stands in no file
    unsigned line = 0;    // from 1; 0: the file as a whole
    unsigned column = 0;  // from 1, in characters (Unicode code points), not in bytes

    bool operator==(const Place&) const = default;
};

/// A value and where it stands. Two are equal when their values are: moving a line changes no setting.
template <class T>
struct Located {
    T value{};
    Place place;

    friend bool operator==(const Located& a, const Located& b) { return a.value == b.value; }
};

}  // namespace sallyport::config
