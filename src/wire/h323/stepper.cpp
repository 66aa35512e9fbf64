#include "wire/h323/stepper.hpp"

#include "wire/h323/q931.hpp"

#include <algorithm>
#include <array>

namespace sallyport::h323 {

using Step = MessageStepper::Step;

namespace {

constexpr std::array looked_at{q931::setup, q931::alerting, q931::connect, q931::release_complete, q931::facility};

// Octets that tell the length of a message and its type: TPKT, discriminator, call reference, type.
constexpr std::size_t longest_start = tpkt_header + 1 + 1 + max_call_reference + 1;

bool looks_at(Bytes frame) {
    const auto type = peek_q931_type(frame.subspan(tpkt_header));
    return type && std::ranges::find(looked_at, *type) != looked_at.end();
}

}  // namespace

Step MessageStepper::go_blind(std::size_t consumed, Bytes bytes, TpktError error) {
    blind_ = true;
    return {.what = Step::What::blind, .consumed = consumed, .bytes = bytes, .error = error};
}

Step MessageStepper::whole(std::size_t consumed, Bytes frame) {
    if (!looks_at(frame)) return {.what = Step::What::passed, .consumed = consumed, .bytes = frame};
    if (frame.size() > max_message) return {.what = Step::What::unread, .consumed = consumed, .bytes = frame};
    return {.what = Step::What::message, .consumed = consumed, .bytes = frame, .message = frame.subspan(tpkt_header)};
}

// One that passes while it comes. @param available  its first bytes
Step MessageStepper::begin(std::size_t consumed, Bytes available, std::size_t length) {
    left_ = length - available.size();
    const auto what = looks_at(available) ? Step::What::unread : Step::What::passed;
    return {.what = what, .consumed = consumed, .bytes = available};
}

// Byte by byte until its length and type are known: what is behind it is to stay in the input.
Step MessageStepper::keep(Bytes input) {
    std::size_t consumed = 0;
    const auto take = [&](std::size_t until) {
        const std::size_t count = std::min(until - std::min(until, kept_.size()), input.size() - consumed);
        const Bytes piece = input.subspan(consumed, count);
        kept_.insert(kept_.end(), piece.begin(), piece.end());
        consumed += count;
        return kept_.size() >= until;
    };
    while (kept_.size() < tpkt_header) {
        if (!take(kept_.size() + 1)) return {.consumed = consumed};
        if (const auto tpkt = read_tpkt(kept_); !tpkt) {
            handed_out_ = true;
            return go_blind(consumed, kept_, tpkt.error());
        }
    }
    const std::size_t length = (*read_tpkt(kept_))->length;
    if (!take(std::min(length, longest_start))) return {.consumed = consumed};
    const bool passes = length > max_message || !looks_at(kept_);
    if (!passes && !take(length)) return {.consumed = consumed};
    handed_out_ = true;
    return passes ? begin(consumed, kept_, length) : whole(consumed, kept_);
}

Step MessageStepper::next(Bytes input) {
    if (handed_out_) kept_ = {};
    handed_out_ = false;
    if (input.empty()) return {};
    if (blind_) return {.what = Step::What::passed, .consumed = input.size(), .bytes = input};
    if (left_ != 0) {
        const std::size_t count = std::min(left_, input.size());
        left_ -= count;
        return {.what = Step::What::passed, .consumed = count, .bytes = input.first(count)};
    }
    if (!kept_.empty()) return keep(input);
    const auto tpkt = read_tpkt(input);
    if (!tpkt) return go_blind(input.size(), input, tpkt.error());
    if (*tpkt && (*tpkt)->length <= input.size()) return whole((*tpkt)->length, input.first((*tpkt)->length));
    return keep(input);
}

}  // namespace sallyport::h323
