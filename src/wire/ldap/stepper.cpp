#include "wire/ldap/stepper.hpp"

#include <algorithm>
#include <limits>

namespace sallyport::ldap {

using Step = MessageStepper::Step;

namespace {

constexpr std::uint64_t any_length = std::numeric_limits<std::uint64_t>::max();

}  // namespace

// Even where it is primitive and so no bind to us: another reader may be less strict about that.
bool MessageStepper::looks_at(std::uint8_t tag) const {
    const std::uint8_t op = tag | ber::constructed_bit;
    return sender_ == Sender::client ? op == op::bind_request || op == op::extended_request
                                     : op == op::bind_response || op == op::extended_response;
}

Step MessageStepper::go_blind(std::size_t consumed, Bytes bytes, MessageError error) {
    state_ = State::blind;
    return {.what = Step::What::blind, .consumed = consumed, .bytes = bytes, .error = error};
}

Step MessageStepper::whole(std::size_t consumed, Bytes bytes) {
    state_ = State::start;
    return {.what = Step::What::whole, .consumed = consumed, .bytes = bytes, .id = start_.id, .op = start_.op};
}

// @param available  the message's first bytes, up to its end at most: of the input, or the start that was held.
Step MessageStepper::begin(const MessageStart& start, Bytes available, std::size_t consumed) {
    start_ = start;
    left_ = start.length - available.size();
    const bool look = looks_at(start.op);
    if (!look || start.length > max_message) {
        state_ = left_ == 0 ? State::start : State::passing;
        const auto what = look ? Step::What::unread : Step::What::message;
        return {.what = what, .consumed = consumed, .bytes = available, .id = start.id, .op = start.op};
    }
    if (left_ == 0) return whole(consumed, available);
    kept_.assign(available.begin(), available.end());
    state_ = State::keeping;
    return {.consumed = consumed};
}

Step MessageStepper::keep(Bytes input, std::size_t consumed) {
    const Bytes rest = input.subspan(consumed);
    const Bytes piece = rest.first(std::min<std::uint64_t>(left_, rest.size()));
    kept_.insert(kept_.end(), piece.begin(), piece.end());
    left_ -= piece.size();
    consumed += piece.size();
    return left_ == 0 ? whole(consumed, kept_) : Step{.consumed = consumed};
}

// Byte by byte: what is behind the start is to stay in the input.
Step MessageStepper::read_split_start(Bytes input) {
    for (std::size_t consumed = 0; consumed < input.size();) {
        held_[held_size_++] = input[consumed++];
        const Bytes held(held_.data(), held_size_);
        const auto start = read_message_start(held, any_length);
        if (start && !*start) continue;
        held_size_ = 0;
        if (!start) return go_blind(consumed, held, start.error());
        const Step step = begin(**start, held, consumed);
        return step.what == Step::What::need_more ? keep(input, consumed) : step;
    }
    return {.consumed = input.size()};
}

Step MessageStepper::read_start(Bytes input) {
    if (held_size_ != 0) return read_split_start(input);
    const auto start = read_message_start(input, any_length);
    if (!start) return go_blind(input.size(), input, start.error());
    if (!*start) return read_split_start(input);
    const Bytes available = input.first(std::min<std::uint64_t>((*start)->length, input.size()));
    return begin(**start, available, available.size());
}

Step MessageStepper::next(Bytes input) {
    if (state_ != State::keeping && kept_.capacity() != 0) kept_ = {};
    if (input.empty()) return {};
    switch (state_) {
        case State::start: return read_start(input);
        case State::keeping: return keep(input, 0);
        case State::blind: return {.what = Step::What::rest, .consumed = input.size(), .bytes = input};
        case State::passing: break;
    }
    const Bytes piece = input.first(std::min<std::uint64_t>(left_, input.size()));
    left_ -= piece.size();
    if (left_ == 0) state_ = State::start;
    return {.what = Step::What::rest, .consumed = piece.size(), .bytes = piece};
}

}  // namespace sallyport::ldap
