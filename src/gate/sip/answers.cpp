#include "gate/sip/answers.hpp"

#include "wire/sip/credentials.hpp"

#include <algorithm>

namespace sallyport::gate::sip {

namespace {

enum class Asking : std::uint8_t { anything, registration };

struct Row {
    std::uint16_t status;
    Asking asking;
};

// Answers to who tries names. A callee that is not there is no such thing: 404 counts for registrations alone.
constexpr Row probing[] = {
    {403, Asking::anything},
    {404, Asking::registration},
    {604, Asking::registration},
};

bool is_challenge(std::uint16_t status) { return status == 401 || status == 407; }

}  // namespace

bool AnswerJudge::judges_answers_to(const sallyport::sip::Message& request) {
    return request.method == "REGISTER" || has_credentials(request);
}

bool AnswerJudge::judges_whatever_was_asked(std::uint16_t status) {
    return std::ranges::any_of(
        probing, [status](const Row& row) { return row.status == status && row.asking == Asking::anything; });
}

bool AnswerJudge::is_known(const std::string& credentials) const {
    return std::ranges::find(accepted_, credentials) != accepted_.end();
}

std::optional<guard::Sign> AnswerJudge::judge(const sallyport::sip::Message& response,
                                              const sallyport::sip::TransactionTable::Asked& asked) {
    const std::uint16_t status = response.status;
    if (status < 200) return std::nullopt;
    if (is_challenge(status)) {
        const bool excused = asked.credentials.empty() || is_stale(response) || is_known(asked.credentials);
        return excused ? std::nullopt : std::optional(guard::Sign::wrong_credentials);
    }
    const bool probes = std::ranges::any_of(probing, [&](const Row& row) {
        return row.status == status && (asked.registers || row.asking == Asking::anything);
    });
    if (probes) return guard::Sign::probing;
    const bool accepted =
        status < 300 && !asked.credentials.empty() && asked.credentials != sallyport::sip::too_long_to_know;
    if (accepted && !is_known(asked.credentials)) {
        if (accepted_.size() == most_accepted) accepted_.erase(accepted_.begin());
        accepted_.push_back(asked.credentials);
    }
    return std::nullopt;
}

}  // namespace sallyport::gate::sip
