#include "gate/ldap/answers.hpp"

#include "wire/ldap/answer.hpp"
#include "wire/ldap/message.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate::ldap;
using sallyport::ldap::BindKind;
using sallyport::ldap::BindRequest;

namespace {

BindRequest bind_of(std::string_view name, std::string_view password) {
    return {.kind = BindKind::simple, .version = 3, .name = name, .password = as_bytes(password)};
}

std::optional<BindJudge::Judged> answer(BindJudge& judge, std::int32_t id, std::int32_t code) {
    sallyport::ldap::AnswerRoom room;
    const Bytes bytes = sallyport::ldap::write_answer(room, sallyport::ldap::op::bind_request, id, {.code = code});
    sallyport::ldap::MessageHead head;
    EXPECT_EQ(read_message_head(bytes, sallyport::ldap::Sender::server, head).state,
              sallyport::ldap::MessageResult::State::complete);
    return judge.answered(head.id, head.operation);
}

}  // namespace

TEST(LdapAnswers, GiveAwayWhoGuessesAndWhoProbes) {
    using guard::Sign;
    const std::pair<std::int32_t, std::optional<Sign>> cases[] = {
        {0, std::nullopt},
        {1, std::nullopt},
        {8, std::nullopt},
        {13, std::nullopt},
        {14, std::nullopt},  // SASL goes on
        {32, std::nullopt},
        {51, std::nullopt},
        {52, std::nullopt},
        {80, std::nullopt},
        {49, Sign::wrong_credentials},
        {48, Sign::wrong_credentials},
        {34, Sign::probing},
        {7, Sign::probing},
        {2, Sign::probing},
        {53, Sign::probing},
    };
    for (const auto& [code, sign] : cases) {
        BindJudge judge;
        judge.asked(1, bind_of("cn=a", "secret"));
        const auto judged = answer(judge, 1, code);
        EXPECT_EQ(judged.has_value(), sign.has_value()) << code;
        if (judged && sign) { EXPECT_EQ(judged->sign, *sign) << code; }
    }
}

TEST(LdapAnswers, KnowTheSameWrongPasswordAgain) {
    BindJudge judge;
    const auto guess = [&](std::string_view name, std::string_view password) {
        judge.asked(1, bind_of(name, password));
        return answer(judge, 1, 49)->credential;
    };
    const std::uint64_t first = guess("cn=a", "secret");
    EXPECT_NE(first, 0U);
    EXPECT_EQ(guess("cn=a", "secret"), first);
    EXPECT_NE(guess("cn=a", "secret2"), first);
    EXPECT_NE(guess("cn=b", "secret"), first);
}

TEST(LdapAnswers, CountEachOfManyBindsAtOnce) {
    BindJudge judge;
    for (int id = 1; id <= 100; ++id) judge.asked(id, bind_of("cn=a", std::to_string(id)));
    int counted = 0;
    for (int id = 1; id <= 100; ++id) counted += answer(judge, id, 49).has_value() ? 1 : 0;
    EXPECT_EQ(counted, 100);
}

TEST(LdapAnswers, CountNothingThatCantBeRead) {
    BindJudge judge;
    judge.asked(1, bind_of("cn=a", "secret"));
    EXPECT_FALSE(judge.answered(1, as_bytes("no result")));
}
