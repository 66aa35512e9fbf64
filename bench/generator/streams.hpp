// All streams of a run, as work that stops and goes on.
#pragma once

#include <memory>
#include <vector>

#include "generator/backend.hpp"
#include "generator/taker.hpp"

namespace sallyport::bench {

class Streams {
public:
    Streams(Ground& ground, Backend& backend, unsigned count, Taker::Care care);

    /// Connects all; true when all stand. Over HTTP each takes a first body on opening: some relays hold a head back
    /// until its body comes.
    bool open();
    void resume();
    void pause();
    void turn() const { ground_.loop.turn(a_turn); }
    /// Also the place where a stream that has ended is noticed.
    bool quiet() const;

    /// Care::piece: takes a piece from one stream that has something, another stream each time.
    void take_piece();

private:
    bool bodies() const { return ground_.options.carrier == Carrier::http; }

    Ground& ground_;
    Backend& backend_;
    std::vector<std::unique_ptr<Taker>> takers_;
    std::size_t next_ = 0;
};

}  // namespace sallyport::bench
