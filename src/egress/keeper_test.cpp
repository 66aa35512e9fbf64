#include "egress/keeper.hpp"

#include "io/files_testing.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

using namespace sallyport;
using namespace sallyport::egress;
using namespace std::chrono_literals;

namespace {

Change line(std::size_t number) {
    const Lease lease{*IpAddress::parse("192.0.2.1"), WallTime{1s}, WallTime{2s}};
    return {.who = "user " + std::to_string(number), .lease = lease};
}

// A gateway's store, and how many lines stand in it.
struct Desk {
    io::testing::Folder folder;
    store::Database::Opened opened = *store::Database::open(folder.path(), WallTime{});
    store::EgressLines lines{opened.database};
    Keeper keeper{lines};

    std::size_t standing() { return lines.lines()->size(); }
};

}  // namespace

TEST(Keeper, WritesSoMuchAtOnceAndTheRestTheNextTime) {
    Desk desk;
    for (std::size_t i = 0; i < Keeper::edits_at_once + 5; ++i) desk.keeper.note(line(i));
    EXPECT_FALSE(desk.keeper.write());
    EXPECT_EQ(desk.standing(), Keeper::edits_at_once);
    EXPECT_FALSE(desk.keeper.write());
    EXPECT_EQ(desk.standing(), Keeper::edits_at_once + 5);
}

TEST(Keeper, LeavesNothingUnwrittenAtTheEnd) {
    Desk desk;
    for (std::size_t i = 0; i < 2 * Keeper::edits_at_once + 5; ++i) desk.keeper.note(line(i));
    desk.keeper.write_all();
    EXPECT_EQ(desk.standing(), 2 * Keeper::edits_at_once + 5);
}
