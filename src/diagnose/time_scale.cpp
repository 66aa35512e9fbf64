#include "diagnose/time_scale.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace sallyport::diagnose {

namespace {

constexpr double shortest_gap = 10;  // seconds that may be left out
constexpr double gap_share = 0.2;  // of what is drawn: a shorter gap is drawn too
constexpr std::size_t most_pieces = 8;
constexpr double gap_width = 30, least_width = 44, mark_distance = 64, label_width = 44;  // pixels

using Piece = TimeScale::Piece;

double length_of(const Piece& piece) { return std::max(seconds(piece.from, piece.to), 0.001); }

double sum_of(const std::vector<Piece>& pieces) {
    double sum = 0;
    for (const Piece& piece : pieces) sum += length_of(piece);
    return sum;
}

// One piece for each stretch with no gap in it that is longer.
std::vector<Piece> parted(const std::vector<Interval>& busy, double longest_gap) {
    std::vector<Piece> out;
    for (const Interval& interval : busy) {
        if (out.empty() || seconds(out.back().to, interval.from) > longest_gap)
            out.push_back({.from = interval.from, .to = interval.to});
        out.back().to = std::max(out.back().to, interval.to);
    }
    return out;
}

// 1, 2 or 5 times a power of ten.
double round_up(double least) {
    double tick = std::pow(10, std::floor(std::log10(least)));
    for (const double factor : {2.0, 2.5, 2.0}) {
        if (tick >= least) break;
        tick *= factor;
    }
    return tick;
}

std::string label_of(double second, double tick) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.*f s", tick >= 1 ? 0 : tick >= 0.1 ? 1 : 3, second);
    return text.data();
}

}  // namespace

double Piece::x(Time time) const {
    const double share = seconds(from, std::clamp(time, from, to)) / length_of(*this);
    return begin + (end - begin) * share;
}

TimeScale::TimeScale(std::vector<Interval> busy, double begin, double end) {
    std::ranges::sort(busy, {}, &Interval::from);
    pieces_ = parted(busy, INFINITY);
    // The less is drawn, the shorter a gap is long.
    for (;;) {
        auto finer = parted(busy, std::max(shortest_gap, gap_share * sum_of(pieces_)));
        if (finer.size() <= pieces_.size() || finer.size() > most_pieces) break;
        pieces_ = std::move(finer);
    }
    const auto count = static_cast<double>(pieces_.size());
    const double shared = end - begin - gap_width * (count - 1) - least_width * count;
    const double sum = sum_of(pieces_);
    for (Piece& piece : pieces_) {
        piece.begin = begin;
        piece.end = begin + least_width + shared * length_of(piece) / sum;
        begin = piece.end + gap_width;
    }
}

double TimeScale::x(Time time) const {
    const auto piece = std::ranges::find_if(pieces_, [time](const Piece& one) { return time <= one.to; });
    return piece == pieces_.end() ? pieces_.back().end : piece->x(time);
}

std::vector<TimeScale::Mark> TimeScale::marks(const Piece& piece) const {
    const double tick = round_up(length_of(piece) * mark_distance / (piece.end - piece.begin));
    const double start = seconds(pieces_.front().from, piece.from);
    std::vector<Mark> out;
    const bool last = &piece == &pieces_.back();
    for (int i = 0; i * tick <= length_of(piece) && i < 20; ++i) {
        const double x = piece.begin + (piece.end - piece.begin) * i * tick / length_of(piece);
        if (i > 0 && !last && x + label_width > piece.end + gap_width) break;  // the next one's first label is there
        out.push_back({.x = x, .label = label_of(start + i * tick, tick)});
    }
    return out;
}

}  // namespace sallyport::diagnose
