#include "firewall/state_dir.hpp"

#include "firewall/keeper.hpp"
#include "firewall/session.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace sallyport;
using namespace sallyport::firewall;

namespace {

class Folder : public ::testing::Test {
protected:
    Folder() {
        std::string name = "/tmp/sallyport-state-XXXXXX";
        path_ = mkdtemp(name.data());
    }
    ~Folder() override { std::filesystem::remove_all(path_); }
    std::filesystem::path path_;
};

}  // namespace

TEST_F(Folder, AFileIsReplacedWhole) {
    const auto state = StateDir::open(path_ / "a" / "firewall");
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->read("x")->has_value(), false);
    ASSERT_TRUE(state->write("x", "one"));
    ASSERT_TRUE(state->write("x", "two"));
    EXPECT_EQ(**state->read("x"), "two");
    ASSERT_TRUE(state->rename("x", "y"));
    EXPECT_EQ(state->read("x")->has_value(), false);
    EXPECT_EQ(**state->read("y"), "two");
    state->remove("y");
    EXPECT_EQ(state->read("y")->has_value(), false);
    EXPECT_TRUE(std::filesystem::is_empty(path_ / "a" / "firewall"));
}

TEST_F(Folder, OthersMayNotWriteToIt) {
    ::mkdir((path_ / "open").c_str(), 0777);
    ::chmod((path_ / "open").c_str(), 0777);
    EXPECT_FALSE(StateDir::open(path_ / "open"));
    ::chmod((path_ / "open").c_str(), 0755);
    EXPECT_TRUE(StateDir::open(path_ / "open"));
    std::filesystem::create_directory_symlink(path_ / "open", path_ / "link");
    EXPECT_FALSE(StateDir::open(path_ / "link"));
}

TEST_F(Folder, ALinkIsNotFollowed) {
    const auto state = StateDir::open(path_ / "state");
    std::filesystem::create_symlink("/etc/passwd", path_ / "state" / "x");
    EXPECT_FALSE(state->read("x"));
    EXPECT_TRUE(state->write("x", "ours"));  // takes the link's place
    EXPECT_EQ(**state->read("x"), "ours");
}

TEST_F(Folder, ALockIsHeldOnce) {
    const auto state = StateDir::open(path_ / "state");
    auto first = state->try_lock("lock");
    ASSERT_TRUE(first && *first);
    EXPECT_FALSE(state->try_lock("lock")->has_value());
    (*first)->reset();
    EXPECT_TRUE(state->try_lock("lock")->has_value());
}

TEST(Pending, IsReadAsItWasWritten) {
    const Pending pending{.until = "2026-03-01T12:00:00.000Z", .session = "198.51.100.7 50022 192.0.2.1 22"};
    const auto read = Pending::parse(pending.to_text());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->until, pending.until);
    EXPECT_EQ(read->session, pending.session);
    EXPECT_FALSE(Pending::parse("something else\n"));
    EXPECT_FALSE(Pending::parse(""));
    EXPECT_TRUE(Pending::parse("sallyport firewall 1\nuntil\nsession\n"));
}

TEST(Session, IsReadAsSshdWritesIt) {
    const auto session = parse_session("2001:db8::7 50022 2001:db8::1 22");
    ASSERT_TRUE(session);
    EXPECT_EQ(session->client.to_string(), "[2001:db8::7]:50022");
    EXPECT_EQ(session->server.port, 22);
    for (const char* text : {"", "198.51.100.7", "198.51.100.7 x 192.0.2.1 22", "host 1 192.0.2.1 22"})
        EXPECT_FALSE(parse_session(text)) << text;
}
