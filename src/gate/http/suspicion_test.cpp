#include "gate/http/suspicion.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace sallyport;
using namespace sallyport::gate::http;
using sallyport::http::FieldList;

namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

FieldList list_of(const Fields& fields) {
    FieldList list;
    for (const auto& [name, value] : fields) list.add({.name = name, .value = value, .kind = {}});
    return list;
}

std::optional<Suspect> suspect_of(std::uint16_t status, const Fields& request, const Fields& answer = {}) {
    return suspect(status, list_of(request), list_of(answer));
}

constexpr std::pair<std::string_view, std::string_view> basic{"authorization", "Basic YWxpY2U6c2VjcmV0"};

}  // namespace

TEST(HttpSuspicion, IsWhatFollowsOfferedCredentialsAndForbiddenPages) {
    using guard::Sign;
    struct Case {
        const char* what;
        std::uint16_t status;
        Fields request;
        Fields answer;
        std::optional<Sign> sign;
    };
    const Case cases[] = {
        {"a first 401", 401, {}, {{"WWW-Authenticate", "Basic realm=\"a\""}}, std::nullopt},
        {"a wrong password", 401, {basic}, {{"WWW-Authenticate", "Basic realm=\"a\""}}, Sign::wrong_credentials},
        {"without a challenge", 401, {basic}, {}, Sign::wrong_credentials},
        {"a wrong token", 401, {{"Authorization", "Bearer x"}}, {}, Sign::wrong_credentials},
        {"a stale nonce",
         401,
         {{"Authorization", "Digest a=b"}},
         {{"WWW-Authenticate", "Digest n=1, stale=TRUE"}},
         std::nullopt},
        {"a wrong digest",
         401,
         {{"Authorization", "Digest a=b"}},
         {{"WWW-Authenticate", "Digest n=1, stale=false"}},
         Sign::wrong_credentials},
        {"NTLM goes on",
         401,
         {{"Authorization", "NTLM TlRM"}},
         {{"WWW-Authenticate", "NTLM TlRMTVNTUAAC"}},
         std::nullopt},
        {"NTLM begins again",
         401,
         {{"Authorization", "NTLM TlRM"}},
         {{"WWW-Authenticate", "NTLM"}},
         Sign::wrong_credentials},
        {"Negotiate goes on",
         401,
         {{"Authorization", "Negotiate YII"}},
         {{"WWW-Authenticate", "Negotiate oYG"}},
         std::nullopt},
        {"forbidden", 403, {}, {}, Sign::probing},
        {"not found", 404, {basic}, {}, std::nullopt},
        {"fine", 200, {basic}, {}, std::nullopt},
        {"out of order", 503, {basic}, {}, std::nullopt},
    };
    for (const Case& c : cases) {
        const auto found = suspect_of(c.status, c.request, c.answer);
        EXPECT_EQ(found.has_value(), c.sign.has_value()) << c.what;
        if (found && c.sign) { EXPECT_EQ(found->sign, *c.sign) << c.what; }
    }
}

TEST(HttpSuspicion, KnowsTheSameWrongPasswordAgain) {
    const auto credential = [](std::string_view value) {
        return suspect_of(401, {{"Authorization", value}})->credential;
    };
    EXPECT_NE(credential("Basic YWxpY2U6c2VjcmV0"), 0U);
    EXPECT_EQ(credential("Basic YWxpY2U6c2VjcmV0"), credential("basic  YWxpY2U6c2VjcmV0"));
    EXPECT_NE(credential("Basic YWxpY2U6c2VjcmV0"), credential("Basic YWxpY2U6c2VjcmV1"));
    EXPECT_EQ(credential("Basic not base64"), 0U);
    EXPECT_EQ(credential("Digest username=\"a\""), 0U);  // can't be told apart: each counts
}
