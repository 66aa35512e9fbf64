// Answers find their requests, and what the requests presented.
#include "wire/sip/transactions.hpp"

#include "wire/sip/credentials.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::sip {
namespace {

struct Name {
    std::string branch = "z9hG4bKa";
    std::string call_id = "x";
    std::string cseq = "1 REGISTER";
};

std::string fields_of(const Name& name) {
    return "\r\nVia: SIP/2.0/TCP h;branch=" + name.branch + ";rport\r\nCall-ID: " + name.call_id +
           "\r\nCSeq: " + name.cseq + "\r\n";
}

void send(TransactionTable& table, const Name& name, const std::string& more = "") {
    const std::string method = name.cseq.substr(name.cseq.find(' ') + 1);
    const std::string head = method + " sip:a SIP/2.0" + fields_of(name) + more + "\r\n";
    Message message;
    ASSERT_TRUE(parse_message(as_bytes(head), message).complete()) << head;
    table.sent(message);
}

// "unknown", "asked", or "asked with credentials"
std::string answer(TransactionTable& table, const Name& name, int status) {
    const std::string head = "SIP/2.0 " + std::to_string(status) + " x" + fields_of(name) + "\r\n";
    Message message;
    EXPECT_TRUE(parse_message(as_bytes(head), message).complete()) << head;
    const auto asked = table.answered(message);
    if (!asked) return "unknown";
    return !asked->credentials.empty() ? "asked with credentials" : "asked";
}

TEST(TransactionTable, TellsWhetherCredentialsWerePresented) {
    TransactionTable table;
    send(table, {});
    send(table, {.cseq = "2 REGISTER"}, "Authorization: Digest x=\"y\"\r\n");
    send(table, {.cseq = "3 INVITE"}, "Proxy-Authorization: Digest x=\"y\"\r\n");
    EXPECT_EQ(answer(table, {.cseq = "3 INVITE"}, 407), "asked with credentials");
    EXPECT_EQ(answer(table, {}, 401), "asked");
    EXPECT_EQ(answer(table, {.cseq = "2 REGISTER"}, 401), "asked with credentials");
}

TEST(TransactionTable, EndsATransactionWithItsFinalAnswer) {
    TransactionTable table;
    send(table, {});
    EXPECT_EQ(answer(table, {}, 100), "asked");
    EXPECT_EQ(answer(table, {}, 199), "asked");
    EXPECT_EQ(answer(table, {}, 200), "asked");
    EXPECT_EQ(answer(table, {}, 200), "unknown");
    EXPECT_EQ(table.size(), 0U);
}

TEST(TransactionTable, TellsTransactionsApart) {
    TransactionTable table;
    send(table, {});
    EXPECT_EQ(answer(table, {.branch = "z9hG4bKb"}, 401), "unknown");
    EXPECT_EQ(answer(table, {.call_id = "y"}, 401), "unknown");
    EXPECT_EQ(answer(table, {.cseq = "2 REGISTER"}, 401), "unknown");
    EXPECT_EQ(answer(table, {.cseq = "1 INVITE"}, 401), "unknown");
    EXPECT_EQ(answer(table, {.branch = "z9hG4bKax", .call_id = ""}, 401), "unknown");
    EXPECT_EQ(answer(table, {.cseq = "0001 REGISTER"}, 401), "asked");
}

TEST(TransactionTable, RemembersNoAckAndARepeatedRequestOnce) {
    TransactionTable table;
    send(table, {.cseq = "1 ACK"});
    EXPECT_EQ(table.size(), 0U);
    send(table, {});
    send(table, {}, "Authorization: Digest x=\"y\"\r\n");
    EXPECT_EQ(table.size(), 1U);
    EXPECT_EQ(answer(table, {}, 401), "asked with credentials");
}

TEST(TransactionTable, ForgetsTheOldestBeyondItsCapacity) {
    TransactionTable table;
    const auto name = [](std::size_t i) { return Name{.cseq = std::to_string(i) + " REGISTER"}; };
    for (std::size_t i = 0; i <= TransactionTable::capacity; ++i) send(table, name(i));
    EXPECT_EQ(table.size(), TransactionTable::capacity);
    EXPECT_EQ(answer(table, name(0), 401), "unknown");
    EXPECT_EQ(answer(table, name(1), 401), "asked");
    EXPECT_EQ(answer(table, name(TransactionTable::capacity), 401), "asked");
}

TEST(SipCredentials, AreToldApartByWhoAndNonce) {
    const auto read = [](std::string_view field) {
        const std::string head = "REGISTER sip:a SIP/2.0\r\n" + std::string(field) + "\r\n\r\n";
        Message message;
        EXPECT_TRUE(parse_message(as_bytes(head), message).complete()) << field;
        return presented(message);
    };
    const std::string one = read("Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", response=\"1\"");
    EXPECT_EQ(one, read("Authorization: Digest username=a,nonce=n, response=\"2\", nc=2, realm=\"r, x\""));
    EXPECT_NE(one, read("Authorization: Digest username=\"b\", nonce=\"n\""));
    EXPECT_NE(one, read("Authorization: Digest username=\"a\", nonce=\"m\""));
    EXPECT_NE(one, read("Authorization: Digest username=\"a\""));
    EXPECT_NE(read("Authorization: Bearer x"), read("Authorization: Bearer y"));
    EXPECT_EQ(read("Subject: x"), "");
}

// Each connection remembers some.
TEST(SipCredentials, AreNotRememberedWhereTheyAreLong) {
    const auto read = [](const std::string& field) {
        const std::string head = "REGISTER sip:a SIP/2.0\r\nAuthorization: " + field + "\r\n\r\n";
        Message message;
        EXPECT_TRUE(parse_message(as_bytes(head), message).complete()) << field;
        return presented(message);
    };
    const std::string most(max_presented - std::string_view("username\x01\x02").size(), 'a');
    EXPECT_EQ(read("Digest username=" + most).size(), max_presented);
    EXPECT_EQ(read("Digest username=" + most + "a"), too_long_to_know);
    EXPECT_EQ(read("Digest nonce=" + most + ", username=" + most), too_long_to_know);
    EXPECT_EQ(read("Bearer " + std::string(10'000, 'x')), too_long_to_know);
}

TEST(SipChallenge, IsStaleWhereItSaysSo) {
    const std::pair<std::string_view, bool> cases[] = {
        {"WWW-Authenticate: Digest realm=\"a\", stale=true, nonce=\"b\"", true},
        {"WWW-Authenticate: Digest stale=TRUE,realm=\"a\"", true},
        {"Proxy-Authenticate: Digest realm=\"a\",\r\n STALE = \"true\"", true},
        {"WWW-Authenticate: Digest realm=\"a\"\r\nWWW-Authenticate: Digest realm=\"b\", stale=true", true},
        {"WWW-Authenticate: Digest realm=\"a\", stale=false", false},
        {"WWW-Authenticate: Digest realm=\"a\"", false},
        {"WWW-Authenticate: Digest realm=\"x, stale=true\"", false},
        {"WWW-Authenticate: Digest realm=\"x\\\", stale=true\"", false},
        {"WWW-Authenticate: Digest xstale=true", false},
        {"WWW-Authenticate: Digest stale=truer", false},
        {"WWW-Authenticate: Digest stale", false},
        {"Subject: Digest stale=true", false},
        {"Subject: x", false},
    };
    for (const auto& [field, stale] : cases) {
        const std::string head = "SIP/2.0 401 x\r\n" + std::string(field) + "\r\n\r\n";
        Message message;
        ASSERT_TRUE(parse_message(as_bytes(head), message).complete()) << field;
        EXPECT_EQ(is_stale(message), stale) << field;
    }
}

}  // namespace
}  // namespace sallyport::sip
