// The axis of a time line: where a moment lies, in pixels. Long times in which nothing happened are left out, so that a
// wait of seconds is still seen in a capture of hours.
#pragma once

#include "diagnose/finding.hpp"

#include <string>
#include <vector>

namespace sallyport::diagnose {

class TimeScale {
public:
    /// A stretch of time that is drawn.
    struct Piece {
        Time from = 0, to = 0;
        double begin = 0, end = 0;  // pixels

        double x(Time time) const;
    };
    struct Mark {
        double x = 0;  // pixels
        std::string label{};
    };

    /// @param busy   all that is to be drawn; at least one.
    /// @param begin  pixels, as `end`.
    TimeScale(std::vector<Interval> busy, double begin, double end);

    double x(Time time) const;
    /// In the order of time; between two of them, time is left out.
    const std::vector<Piece>& pieces() const { return pieces_; }
    /// Marks of a piece, their labels seconds since the beginning of the first.
    std::vector<Mark> marks(const Piece& piece) const;

private:
    std::vector<Piece> pieces_;
};

}  // namespace sallyport::diagnose
