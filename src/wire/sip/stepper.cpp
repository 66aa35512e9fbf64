#include "wire/sip/stepper.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

namespace sallyport::sip {

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

// Bytes of the head up to its empty line, looked for from `start` on. Nothing: not there yet.
std::optional<std::size_t> size_of_head(Bytes bytes, std::size_t start) {
    const std::size_t at = as_text(bytes).find(head_end, start);
    if (at == std::string_view::npos) return std::nullopt;
    return at + head_end.size();
}

std::size_t line_ends(std::string_view text) {
    std::size_t size = 0;
    while (text.substr(size).starts_with("\r\n")) size += 2;
    return size;
}

}  // namespace

MessageStepper::Step MessageStepper::next(Bytes input, Message& message) {
    if (done_) {
        done_ = false;
        held_ = {};  // its memory too: between messages a connection owns none
    }
    switch (state_) {
        case State::head: return held_.empty() ? read_head(input, message) : continue_head(input, message);
        case State::body: return read_body(input);
        case State::blind: break;
        case State::refused: return {.what = Step::What::refused};
    }
    if (input.empty()) return {};
    return {.what = Step::What::unread, .consumed = input.size(), .bytes = input};
}

MessageStepper::Step MessageStepper::read_body(Bytes input) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, input.size()));
    if (size == 0) return {};
    body_left_ -= size;
    if (body_left_ == 0) state_ = State::head;
    return {.what = Step::What::body, .consumed = size, .bytes = input.first(size)};
}

// Nothing is held: a head that has come whole is read where it lies.
MessageStepper::Step MessageStepper::read_head(Bytes input, Message& message) {
    if (const std::size_t size = line_ends(as_text(input)); size != 0) {
        return {.what = Step::What::between, .consumed = size, .bytes = input.first(size)};
    }
    const Bytes window = input.first(std::min(input.size(), max_head));
    const MessageResult result = parse_message(window, message);
    if (result.complete()) return good_head(input.first(result.length), result.length, message);
    // What can't be read ends where its empty line stands, whatever the reader stumbled over.
    if (const auto size = size_of_head(window, 0)) return fail(result.error, input.first(*size), *size);
    // What can't become a head any more is told now: its end may never come.
    if (result.refused()) return fail(result.error, input, input.size());
    held_.assign(input.begin(), input.end());
    return {.consumed = input.size()};
}

MessageStepper::Step MessageStepper::continue_head(Bytes input, Message& message) {
    const std::size_t before = held_.size();
    const Bytes more = input.first(std::min(input.size(), max_head - before));
    held_.insert(held_.end(), more.begin(), more.end());
    // The one byte that was held may have been the first of a line end between messages.
    if (before == 1 && as_text(held_).starts_with("\r\n")) {
        held_.resize(2);
        done_ = true;
        return {.what = Step::What::between, .consumed = 1, .bytes = held_};
    }
    if (const auto size = size_of_head(held_, before - std::min(before, head_end.size() - 1))) {
        held_.resize(*size);
        done_ = true;
        return whole_head(held_, *size - before, message);
    }
    const MessageResult result = parse_message(held_, message);
    if (!result.refused()) return {.consumed = more.size()};
    done_ = true;
    return fail(result.error, held_, more.size());
}

MessageStepper::Step MessageStepper::whole_head(Bytes head, std::size_t consumed, Message& message) {
    const MessageResult result = parse_message(head, message);
    return result.complete() ? good_head(head, consumed, message) : fail(result.error, head, consumed);
}

MessageStepper::Step MessageStepper::good_head(Bytes head, std::size_t consumed, const Message& message) {
    body_left_ = message.body_length;
    if (body_left_ != 0) state_ = State::body;
    return {.what = Step::What::head, .consumed = consumed, .bytes = head};
}

MessageStepper::Step MessageStepper::fail(MessageError error, Bytes bytes, std::size_t consumed) {
    if (sender_ == Sender::target) {
        state_ = State::blind;
        return {.what = Step::What::blind, .consumed = consumed, .bytes = bytes, .error = error};
    }
    state_ = State::refused;
    return {.what = Step::What::refused, .consumed = consumed, .error = error};
}

}  // namespace sallyport::sip
