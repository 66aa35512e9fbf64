#include "io/file_watch.hpp"

#include "io/files_testing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

using namespace sallyport::io;
using sallyport::io::testing::Folder;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

namespace {

bool readable(const FileWatch& watch) {
    pollfd entry{.fd = watch.fd(), .events = POLLIN, .revents = 0};
    return poll(&entry, 1, 0) == 1;
}

FileWatch watch_of(const std::vector<fs::path>& files) {
    auto watch = FileWatch::create(files);
    if (!watch) throw std::runtime_error(watch.error().message);
    return std::move(*watch);
}

void rename(const Folder& folder, const char* from, const char* to) { fs::rename(folder / from, folder / to); }

}  // namespace

TEST(FileWatch, SeesWritingInPlaceAndRenamingOver) {
    const Folder folder;
    folder.write("edge.pem", "one");
    folder.write("edge.key", "one");
    FileWatch watch = watch_of({folder / "edge.pem", folder / "edge.key"});
    EXPECT_FALSE(readable(watch));
    EXPECT_THAT(watch.changed(), IsEmpty());

    folder.write("edge.pem", "longer");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "edge.pem"));
    EXPECT_FALSE(readable(watch));

    folder.write("new", "renewed");
    rename(folder, "new", "edge.key");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "edge.key"));
    EXPECT_THAT(watch.changed(), IsEmpty());
}

TEST(FileWatch, IsNotMisledByNeighbours) {
    const Folder folder;
    folder.write("edge.pem", "one");
    FileWatch watch = watch_of({folder / "edge.pem"});
    folder.write("other.pem", "x");
    EXPECT_THAT(watch.changed(), IsEmpty());
}

TEST(FileWatch, SeesALinkTurnedAsCertbotDoes) {
    const Folder folder;
    fs::create_directories(folder / "archive");
    fs::create_directories(folder / "live/site");
    folder.write("archive/edge1.pem", "one");
    folder.write("archive/edge2.pem", "two");
    fs::create_symlink("../../archive/edge1.pem", folder / "live/site/edge.pem");
    FileWatch watch = watch_of({folder / "live/site/edge.pem"});

    fs::create_symlink("../../archive/edge2.pem", folder / "live/site/new");
    rename(folder, "live/site/new", "live/site/edge.pem");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "live/site/edge.pem"));

    folder.write("archive/edge2.pem", "in place, behind the link");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "live/site/edge.pem"));
}

TEST(FileWatch, SeesALinkedDirectoryTurnedAsKubernetesDoes) {
    const Folder folder;
    for (const char* version : {"..one", "..two"}) {
        fs::create_directory(folder / version);
        folder.write(std::string(version) + "/tls.crt", version);
        folder.write(std::string(version) + "/tls.key", version);
    }
    fs::create_directory_symlink("..one", folder / "..data");
    fs::create_symlink("..data/tls.crt", folder / "tls.crt");
    fs::create_symlink("..data/tls.key", folder / "tls.key");
    FileWatch watch = watch_of({folder / "tls.crt", folder / "tls.key"});

    fs::create_directory_symlink("..two", folder / "..next");
    rename(folder, "..next", "..data");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), UnorderedElementsAre(folder / "tls.crt", folder / "tls.key"));
}

TEST(FileWatch, SeesTheLinkToTheDirectoryItselfTurned) {
    const Folder folder;
    for (const char* release : {"one", "two"}) {
        fs::create_directory(folder / release);
        folder.write(std::string(release) + "/edge.pem", release);
    }
    fs::create_directory_symlink("one", folder / "current");
    FileWatch watch = watch_of({folder / "current/edge.pem"});

    fs::create_directory_symlink("two", folder / "next");
    rename(folder, "next", "current");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "current/edge.pem"));
}

TEST(FileWatch, LivesOnWhenDirectoriesVanishAndComeBack) {
    const Folder folder;
    fs::create_directories(folder / "a/b");
    folder.write("a/b/edge.pem", "one");
    FileWatch watch = watch_of({folder / "a/b/edge.pem"});

    fs::remove_all(folder / "a");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), IsEmpty()) << "there is nothing to load";

    fs::create_directories(folder / "a/b");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), IsEmpty());

    folder.write("a/b/edge.pem", "two");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "a/b/edge.pem"));
}

TEST(FileWatch, SeesAWholeDirectoryExchanged) {
    const Folder folder;
    fs::create_directories(folder / "certs");
    fs::create_directories(folder / "next");
    folder.write("certs/edge.pem", "one");
    folder.write("next/edge.pem", "two");
    FileWatch watch = watch_of({folder / "certs/edge.pem"});
    rename(folder, "certs", "before");
    rename(folder, "next", "certs");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "certs/edge.pem"));
    folder.write("certs/edge.pem", "three, in the new directory");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "certs/edge.pem"));
}

TEST(FileWatch, WaitsForFilesThatAreNotThereYet) {
    const Folder folder;
    FileWatch watch = watch_of({folder / "later/edge.pem"});
    fs::create_directory(folder / "later");
    watch.changed();
    folder.write("later/edge.pem", "one");
    EXPECT_TRUE(readable(watch));
    EXPECT_THAT(watch.changed(), ElementsAre(folder / "later/edge.pem"));
}

TEST(FileWatch, MovesWithItsDescriptor) {
    const Folder folder;
    FileWatch first = watch_of({folder / "a"});
    FileWatch second = watch_of({folder / "b"});
    const int fd = second.fd();
    first = std::move(second);
    EXPECT_EQ(first.fd(), fd);
    folder.write("b", "x");
    EXPECT_THAT(first.changed(), ElementsAre(folder / "b"));
}
