#include "gate/sip/answers.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace sallyport;
using namespace sallyport::gate::sip;
using sallyport::sip::Message;
using sallyport::sip::TransactionTable;

namespace {

std::string judged(AnswerJudge& judge, int status, const TransactionTable::Asked& asked, std::string_view more = "") {
    const std::string head = "SIP/2.0 " + std::to_string(status) + " x\r\n" + std::string(more) + "\r\n";
    Message response;
    EXPECT_TRUE(parse_message(as_bytes(head), response).complete()) << head;
    const auto sign = judge.judge(response, asked);
    return sign ? std::string(guard::name(*sign)) : "nothing";
}

}  // namespace

TEST(SipAnswers, GiveAwayWhoGuessesAndWhoProbes) {
    const TransactionTable::Asked plain;
    const TransactionTable::Asked registers{.registers = true};
    const TransactionTable::Asked with{.credentials = "alice", .registers = true};
    struct Case {
        int status;
        const TransactionTable::Asked& asked;
        const char* sign;
        const char* more = "";
    };
    const Case cases[] = {
        {401, plain, "nothing"},
        {407, registers, "nothing"},
        {401, with, "wrong_credentials"},
        {407, with, "wrong_credentials"},
        {401, with, "nothing", "WWW-Authenticate: Digest realm=\"a\", stale=true\r\n"},
        {401, with, "wrong_credentials", "WWW-Authenticate: Digest realm=\"a\", stale=false\r\n"},
        {403, plain, "probing"},
        {403, with, "probing"},
        {404, plain, "nothing"},
        {404, registers, "probing"},
        {604, registers, "probing"},
        {100, with, "nothing"},
        {200, with, "nothing"},
        {302, registers, "nothing"},
        {408, registers, "nothing"},
        {423, registers, "nothing"},
        {480, plain, "nothing"},
        {486, plain, "nothing"},
        {500, registers, "nothing"},
        {503, registers, "nothing"},
        {603, plain, "nothing"},
    };
    for (const Case& c : cases) {
        AnswerJudge judge;
        EXPECT_EQ(judged(judge, c.status, c.asked, c.more), c.sign) << c.status;
    }
}

TEST(SipAnswers, HoldNothingAgainstCredentialsThatWereGoodBefore) {
    AnswerJudge judge;
    const TransactionTable::Asked alice{.credentials = "alice, nonce 1", .registers = true};
    EXPECT_EQ(judged(judge, 200, alice), "nothing");
    for (int day = 0; day < 1000; ++day) EXPECT_EQ(judged(judge, 401, alice), "nothing");
    EXPECT_EQ(judged(judge, 401, {.credentials = "bob, nonce 1"}), "wrong_credentials");
}

TEST(SipAnswers, RememberABoundedNumberOfGoodCredentials) {
    AnswerJudge judge;
    for (int i = 0; i < 100; ++i) judged(judge, 200, {.credentials = std::to_string(i)});
    EXPECT_EQ(judged(judge, 401, {.credentials = "99"}), "nothing");
    EXPECT_EQ(judged(judge, 401, {.credentials = "92"}), "nothing");
    EXPECT_EQ(judged(judge, 401, {.credentials = "91"}), "wrong_credentials");
}
