#include "generator/streams.hpp"

#include "generator/stage.hpp"

namespace sallyport::bench {

Streams::Streams(Ground& ground, Backend& backend, unsigned count, Taker::Care care)
    : ground_(ground), backend_(backend) {
    for (unsigned i = 0; i < count; ++i) takers_.push_back(std::make_unique<Taker>(ground, i, care));
}

bool Streams::open() {
    if (!bodies()) backend_.pause();
    for (const auto& taker : takers_) taker->connect();
    const auto all_open = [&] {
        for (const auto& taker : takers_) {
            if (!taker->is_open() || !taker->resting()) return ground_.tally.faulty();
        }
        return true;
    };
    return ground_.loop.until(all_open, open_limit) && !ground_.tally.faulty();
}

void Streams::resume() {
    if (!bodies()) return backend_.resume();
    for (const auto& taker : takers_) taker->resume();
}

void Streams::pause() {
    if (!bodies()) return backend_.pause();
    for (const auto& taker : takers_) taker->pause();
}

bool Streams::quiet() const {
    bool resting = true;
    for (const auto& taker : takers_) {
        if (taker->end() != Taker::End::none) ground_.tally.fault(Fault::early_close, "a stream ended");
        resting = resting && taker->is_open() && taker->resting();
    }
    return resting && ground_.tally.received == ground_.tally.poured;
}

void Streams::take_piece() {
    for (std::size_t i = 0; i < takers_.size(); ++i) {
        Taker& taker = *takers_[next_];
        next_ = (next_ + 1) % takers_.size();
        if (taker.take_piece()) return;
    }
}

}  // namespace sallyport::bench
