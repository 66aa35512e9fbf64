#include "store/egress_lines.hpp"
#include "store/guard_entries.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace sallyport;
using namespace sallyport::store;
namespace fs = std::filesystem;

namespace {

// A folder that goes with the test.
struct Folder {
    std::string name = (fs::temp_directory_path() / "sallyport-store-XXXXXX").string();
    fs::path path{::mkdtemp(name.data())};
    ~Folder() { fs::remove_all(path); }

    Database::Opened open() const {
        auto opened = Database::open(path, WallTime{std::chrono::seconds(1000)});
        if (!opened) throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }
    fs::path file() const { return path / "sallyport.db"; }
    fs::path aside() const { return path / "sallyport.db.unusable-1000"; }
};

GuardRow row(const std::string& who) {
    return {.who = who,
            .verdict = "ban",
            .origin = "auto",
            .since_ms = 1000,
            .expires_ms = 2000,
            .reason = "x'y\"z",
            .protocol = "sip",
            .count = 11,
            .node = "edge-1"};
}

TEST(GuardEntries, AreReadAsTheyWereWritten) {
    const Folder folder;
    GuardRow forever = row("198.51.100.0/24");
    forever.expires_ms.reset();
    forever.protocol.clear();
    {
        auto opened = folder.open();
        const GuardEdit edits[] = {{row("192.0.2.7/32")},
                                   {forever},
                                   {row("192.0.2.8/32")},
                                   {{.who = "192.0.2.8/32", .verdict = {}, .origin = {}}, true}};
        ASSERT_TRUE(GuardEntries(opened.database).apply(edits));
    }
    auto opened = folder.open();
    EXPECT_EQ(opened.set_aside, "");
    EXPECT_EQ(*GuardEntries(opened.database).load(), (std::vector<GuardRow>{row("192.0.2.7/32"), forever}));
}

TEST(GuardEntries, AnEditReplacesTheRowThatWasThere) {
    const Folder folder;
    auto opened = folder.open();
    GuardEntries entries(opened.database);
    GuardRow later = row("192.0.2.7/32");
    later.since_ms = 5000;
    const GuardEdit edits[] = {{row("192.0.2.7/32")}, {later}};
    ASSERT_TRUE(entries.apply(edits));
    EXPECT_EQ(*entries.load(), std::vector<GuardRow>{later});
}

TEST(GuardEntries, WhatIsCommittedSurvivesAKill) {
    const Folder folder;
    const pid_t child = ::fork();
    if (child == 0) {
        auto opened = folder.open();
        const GuardEdit edits[] = {{row("192.0.2.7/32")}};
        GuardEntries(opened.database).apply(edits).value();
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    auto opened = folder.open();
    EXPECT_EQ(GuardEntries(opened.database).load()->size(), 1U);
}

TEST(GuardEntries, AFullDiskIsAnErrorAndNothingIsHalfWritten) {
    const Folder folder;
    auto opened = folder.open();
    GuardEntries entries(opened.database);
    const std::int64_t pages = opened.database.handle().execAndGet("PRAGMA page_count").getInt64();
    opened.database.handle().exec("PRAGMA max_page_count = " + std::to_string(pages));
    std::vector<GuardEdit> many;
    for (int i = 0; i < 1000; ++i) many.push_back({row("192.0.2." + std::to_string(i))});
    const auto done = entries.apply(many);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("full"), std::string::npos) << done.error().message;
    EXPECT_TRUE(entries.load()->empty());
    opened.database.handle().exec("PRAGMA max_page_count = 100000");
    EXPECT_TRUE(entries.apply(many));
}

TEST(EgressLines, AreReadAsTheyWereWritten) {
    const Folder folder;
    const EgressLine lease{.who = "user alice", .source = "192.0.2.17", .since_ms = 1, .seen_ms = 2};
    EgressLine v6 = lease;
    v6.v6 = true;
    v6.source = "2001:db8::17";
    EgressLine pin = lease;
    pin.pin = true;
    const StayLine stay{.address = "10.1.2.3",
                        .user = "alice",
                        .mac = "02:00:00:00:00:01",
                        .session = "s",
                        .server = "::1",
                        .heard_ms = 7};
    {
        auto opened = folder.open();
        const LineEdit<EgressLine> lines[] = {{lease}, {v6}, {pin}, {{.who = "user bob", .source = "x"}}};
        const LineEdit<StayLine> stays[] = {{stay}, {{.address = "10.1.2.4"}}};
        ASSERT_TRUE(EgressLines(opened.database).apply(lines, stays));
        const LineEdit<EgressLine> gone[] = {{{.who = "user bob"}, true}};
        const LineEdit<StayLine> left[] = {{{.address = "10.1.2.4"}, true}};
        ASSERT_TRUE(EgressLines(opened.database).apply(gone, left));
    }
    auto opened = folder.open();
    EgressLines store(opened.database);
    EXPECT_EQ(*store.lines(), (std::vector<EgressLine>{lease, v6, pin}));
    EXPECT_EQ(*store.stays(), std::vector<StayLine>{stay});
}

TEST(Database, BringsAnOlderFileUpToDateWithAllThatItHolds) {
    const Folder folder;
    {
        SQLite::Database first(folder.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        first.exec(
            "CREATE TABLE guard_entry (who TEXT PRIMARY KEY, verdict TEXT NOT NULL, origin TEXT NOT NULL, since_ms "
            "INTEGER NOT NULL, expires_ms INTEGER, reason TEXT NOT NULL, protocol TEXT, count INTEGER NOT NULL, node "
            "TEXT NOT NULL) WITHOUT ROWID");
        first.exec("INSERT INTO guard_entry VALUES ('192.0.2.7/32', 'ban', 'auto', 1, NULL, '', NULL, 1, 'n')");
        first.exec("PRAGMA user_version = 1");
    }
    auto opened = folder.open();
    EXPECT_EQ(opened.set_aside, "");
    EXPECT_EQ(GuardEntries(opened.database).load()->size(), 1U);
    EXPECT_TRUE(EgressLines(opened.database).lines()->empty());
}

TEST(Database, SetsAFileAsideThatIsNone) {
    const Folder folder;
    std::ofstream(folder.file()) << std::string(10'000, 'x');
    auto opened = folder.open();
    EXPECT_NE(opened.set_aside.find("is damaged"), std::string::npos) << opened.set_aside;
    EXPECT_TRUE(fs::exists(folder.aside()));
    EXPECT_TRUE(GuardEntries(opened.database).load());
}

TEST(Database, SetsADamagedFileAside) {
    const Folder folder;
    {
        auto opened = folder.open();
        std::vector<GuardEdit> many;
        for (int i = 0; i < 1000; ++i) many.push_back({row("192.0.2." + std::to_string(i))});
        ASSERT_TRUE(GuardEntries(opened.database).apply(many));
    }
    {
        std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(8192);
        file << std::string(8192, '\xA5');
    }
    auto opened = folder.open();
    EXPECT_NE(opened.set_aside.find("is damaged"), std::string::npos) << opened.set_aside;
    EXPECT_TRUE(GuardEntries(opened.database).load()->empty());
}

TEST(Database, SetsAFileOfANewerVersionAside) {
    const Folder folder;
    {
        SQLite::Database newer(folder.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        newer.exec("PRAGMA user_version = 99");
    }
    auto opened = folder.open();
    EXPECT_NE(opened.set_aside.find("newer version"), std::string::npos) << opened.set_aside;
    EXPECT_TRUE(fs::exists(folder.aside()));
    EXPECT_EQ(folder.open().set_aside, "");
}

TEST(Database, WithoutAFolderSaysWhatItWanted) {
    const auto opened = Database::open("/nowhere/at/all", WallTime{});
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().message.find("/nowhere/at/all/sallyport.db"), std::string::npos);
}

}  // namespace
