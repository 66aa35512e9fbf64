#include "wire/resp/resp.hpp"

#include <gtest/gtest.h>

using namespace sallyport;
using namespace sallyport::resp;

namespace {

// A value as people would write it.
std::string shown(const Value& value) {
    switch (value.kind) {
        case Value::Kind::text: return "'" + std::string(value.text) + "'";
        case Value::Kind::error: return "error '" + std::string(value.text) + "'";
        case Value::Kind::number: return std::to_string(value.number);
        case Value::Kind::null: return "null";
        case Value::Kind::list:
        case Value::Kind::push: break;
    }
    std::string out;
    for (const Value& item : value.items) out += (out.empty() ? "" : " ") + shown(item);
    return (value.kind == Value::Kind::push ? "push[" : "[") + out + "]";
}

TEST(Resp, ReadsEachKindOfValue) {
    const struct {
        std::string_view wire, means;
    } cases[] = {
        {"+OK\r\n", "'OK'"},
        {"-NOAUTH Authentication required.\r\n", "error 'NOAUTH Authentication required.'"},
        {":42\r\n", "42"},
        {":-1\r\n", "-1"},
        {":9999999999999\r\n", "4294967296"},
        {"$5\r\na\r\nbc\r\n", "'a\r\nbc'"},
        {"$0\r\n\r\n", "''"},
        {"$-1\r\n", "null"},
        {"_\r\n", "null"},
        {"#t\r\n", "1"},
        {"*-1\r\n", "null"},
        {"*2\r\n$1\r\n0\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n", "['0' ['a' 'b']]"},
        {"%1\r\n+proto\r\n:3\r\n", "['proto' 3]"},
        {">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n", "push['message' 'c' 'hi']"},
    };
    for (const auto& one : cases) {
        const std::string followed = std::string(one.wire) + "+NEXT\r\n";
        const Parsed parsed = parse(as_bytes(followed));
        EXPECT_EQ(parsed.state, Parsed::State::complete) << one.wire;
        EXPECT_EQ(parsed.length, one.wire.size()) << one.wire;
        EXPECT_EQ(shown(parsed.value), one.means);
        for (std::size_t cut = 0; cut < one.wire.size(); ++cut)
            EXPECT_EQ(parse(as_bytes(one.wire.substr(0, cut))).state, Parsed::State::need_more) << one.wire << cut;
    }
}

TEST(Resp, RefusesWhatNoRedisSends) {
    const std::string cases[] = {
        "\r\n",
        "?\r\n",
        "$abc\r\n",
        "$-2\r\n",
        "$16385\r\n",
        "*100000\r\n",
        "$3\r\nabcd\r\n",
        ":1x\r\n",
        "#x\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
        "+" + std::string(600, 'x'),
        "$99999999999999999999\r\n",
    };
    for (const std::string& wire : cases)
        EXPECT_EQ(parse(as_bytes(wire)).state, Parsed::State::malformed) << wire.substr(0, 30);
}

TEST(Resp, HoldsNoMoreValuesThanItsLimit) {
    std::string many = "*2\r\n";
    for (int half = 0; half < 2; ++half) {
        many += "*5000\r\n";
        for (int i = 0; i < 5000; ++i) many += ":1\r\n";
    }
    EXPECT_EQ(parse(as_bytes(many)).state, Parsed::State::malformed);
}

TEST(Resp, WritesCommandsInBulk) {
    const std::string_view words[] = {"HSET", "k", "a b\r\n", ""};
    EXPECT_EQ(write_command(words), "*4\r\n$4\r\nHSET\r\n$1\r\nk\r\n$5\r\na b\r\n\r\n$0\r\n\r\n");
}

}  // namespace
