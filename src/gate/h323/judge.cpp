#include "gate/h323/judge.hpp"

#include "wire/h323/call.hpp"

#include <algorithm>

namespace sallyport::gate::h323 {

namespace {

using guard::Sign;
using namespace sallyport::h323;
namespace grj = sallyport::h323::gatekeeper_reject_reason;
namespace rrj = sallyport::h323::registration_reject_reason;
namespace release = sallyport::h323::release_complete_reason;

struct Row {
    std::uint8_t value;
    Sign sign;
};

constexpr Row gatekeeper_rejects[] = {
    {grj::terminal_excluded, Sign::probing},
    {grj::undefined_reason, Sign::probing},
    {grj::security_denial, Sign::wrong_credentials},
    {grj::security_error, Sign::wrong_credentials},
};

// A duplicate alias is an honest phone's too, which comes back from another address.
constexpr Row registration_rejects[] = {
    {rrj::duplicate_alias, Sign::doubtful},
    {rrj::undefined_reason, Sign::probing},
    {rrj::invalid_alias, Sign::probing},
    {rrj::security_denial, Sign::wrong_credentials},
    {rrj::invalid_terminal_aliases, Sign::probing},
    {rrj::generic_data_reason, Sign::probing},
    {rrj::security_error, Sign::wrong_credentials},
};

constexpr Row release_reasons[] = {
    {release::no_permission, Sign::probing},
    {release::security_denied, Sign::wrong_credentials},
    {release::called_party_not_registered, Sign::probing},
    {release::caller_not_registered, Sign::probing},
    {release::security_error, Sign::wrong_credentials},
};

// Q.850: unallocated number, no route, subscriber absent (as a gatekeeper says of who is not registered), rejected.
constexpr Row release_causes[] = {
    {1, Sign::probing},
    {3, Sign::probing},
    {20, Sign::probing},
    {21, Sign::probing},
};

std::optional<Sign> find(std::span<const Row> rows, std::optional<std::uint8_t> value) {
    const auto row = std::ranges::find(rows, value, &Row::value);
    return row == rows.end() ? std::nullopt : std::optional(row->sign);
}

constexpr std::uint8_t from_called = 0x80;  // in the first octet of a call reference

// Without its flag; 0: of no call.
std::uint16_t call_number(Bytes reference) {
    std::uint16_t number = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const auto octet = std::to_integer<std::uint8_t>(reference[i]);
        number = static_cast<std::uint16_t>(number << 8 | (i == 0 ? octet & ~from_called : octet));
    }
    return number;
}

bool is_from_called(Bytes reference) {
    return !reference.empty() && (std::to_integer<std::uint8_t>(reference.front()) & from_called) != 0;
}

}  // namespace

std::optional<Sign> sign_of_reject(const RasMessage& reject) {
    if (!reject.alternates.empty()) return std::nullopt;
    return reject.kind == ras::gatekeeper_reject ? find(gatekeeper_rejects, reject.reject_reason)
                                                 : find(registration_rejects, reject.reject_reason);
}

std::optional<Sign> sign_of_release(std::optional<std::uint8_t> cause, std::optional<std::uint8_t> reason) {
    const auto by_reason = find(release_reasons, reason);
    return by_reason ? by_reason : find(release_causes, cause);
}

std::optional<Sign> sign_of_silence(const TargetState& target, SteadyTime asked, SteadyTime now, bool closed) {
    constexpr std::chrono::seconds lately{60};
    if (!closed && now - asked < silent_after) return std::nullopt;  // the client did not wait for it
    const SteadyTime alive_since = closed ? asked - lately : asked;
    const bool alive = target.condition() == Condition::up && target.spoke() != SteadyTime{};
    return alive && target.spoke() >= alive_since ? std::optional(Sign::doubtful) : std::nullopt;
}

void Judge::Waiting::add(std::uint16_t number) {
    if (std::ranges::find(numbers_, number) != numbers_.end()) return;
    numbers_[next_++ % numbers_.size()] = number;
}

bool Judge::Waiting::take(std::uint16_t number) {
    const auto at = std::ranges::find(numbers_, number);
    if (at == numbers_.end()) return false;
    at->reset();
    return true;
}

void Judge::asked(const Heard& by_client) {
    for (const RasMessage& ras : by_client.ras) {
        if (ras.is_request() && ras.request_seq_num != 0) requests_.add(ras.request_seq_num);
    }
    if (by_client.q931.type == q931::setup) calls_.add(call_number(by_client.q931.call_reference));
}

std::optional<Sign> Judge::answered(const Heard& by_target) {
    std::optional<Sign> sign;
    for (const RasMessage& ras : by_target.ras) {
        const bool confirm = ras.kind == ras::gatekeeper_confirm || ras.kind == ras::registration_confirm;
        if ((confirm || ras.is_reject()) && requests_.take(ras.request_seq_num) && ras.is_reject())
            sign = sign_of_reject(ras);
    }
    return sign ? sign : call_answered(by_target);
}

std::optional<Sign> Judge::call_answered(const Heard& by_target) {
    const auto& message = by_target.q931;
    const std::uint16_t call = call_number(message.call_reference);
    const auto reason = by_target.information ? by_target.information->release_reason : std::nullopt;
    switch (message.type) {
        case q931::alerting:
        case q931::connect: calls_.take(call); return std::nullopt;
        case q931::release_complete: break;
        default: return std::nullopt;
    }
    // Of no call, and no reason that could be given: the target could make nothing of what it got.
    if (call == 0) return reason == release::undefined_reason ? std::optional(Sign::probing) : std::nullopt;
    if (!is_from_called(message.call_reference) || !calls_.take(call)) return std::nullopt;
    return sign_of_release(message.cause, reason);
}

}  // namespace sallyport::gate::h323
