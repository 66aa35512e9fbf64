#include "gate/ldap/answers.hpp"

#include "wire/ldap/result.hpp"

#include <algorithm>

namespace sallyport::gate::ldap {

namespace {

using namespace sallyport::ldap;

struct Row {
    std::int32_t code;
    guard::Sign sign;
};

constexpr Row rows[] = {
    {code::invalid_credentials, guard::Sign::wrong_credentials},
    {code::inappropriate_authentication, guard::Sign::wrong_credentials},
    {code::invalid_dn_syntax, guard::Sign::probing},
    {code::auth_method_not_supported, guard::Sign::probing},
    {code::protocol_error, guard::Sign::probing},
    {code::unwilling_to_perform, guard::Sign::probing},
};

}  // namespace

void BindJudge::asked(std::int32_t id, const BindRequest& bind) {
    if (asked_.size() == most) asked_.erase(asked_.begin());
    asked_.push_back({id, bind.password.empty() ? 0 : guard::credential_hash(bind.name, as_text(bind.password))});
}

std::optional<BindJudge::Judged> BindJudge::answered(std::int32_t id, Bytes operation) {
    const auto at = std::ranges::find(asked_, id, &Asked::id);
    std::uint64_t credential = 0;
    if (at != asked_.end()) {
        credential = at->credential;
        asked_.erase(at);
        if (asked_.empty()) asked_ = {};  // an idle connection owns no memory
    }
    const auto result = read_result(operation);
    if (!result) return std::nullopt;
    const auto* row = std::ranges::find(rows, result->code, &Row::code);
    if (row == std::end(rows)) return std::nullopt;
    return Judged{row->sign, credential};
}

}  // namespace sallyport::gate::ldap
