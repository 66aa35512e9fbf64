#include "io/sockets.hpp"
#include "io/testing.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

using namespace sallyport;
using namespace sallyport::io;
using io::testing::read_to_end;
using io::testing::VirtualLoop;
using ::testing::HasSubstr;

namespace {

// A folder of its own for a test's Unix sockets.
class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

unsigned mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 0777U;
}

}  // namespace

TEST(UnixSockets, ConnectAndCarry) {
    const Folder folder;
    VirtualLoop loop;
    loop.run([](Loop& on, std::string path) -> Task<void> {
        Cancellation cancellation;
        Acceptor acceptor = *Acceptor::adopt(on, *listen_unix(path, 0600), cancellation);
        auto near = co_await connect_unix(on, cancellation, path, Deadline::none);
        EXPECT_TRUE(near.has_value());
        if (!near) co_return;
        auto accepted = acceptor.accept();
        EXPECT_TRUE(accepted.has_value());
        if (!accepted) co_return;
        Stream far = *Stream::adopt(on, std::move(accepted->fd), cancellation);
        EXPECT_EQ(far.write(as_bytes("hello")), Io::ok);
        far.close();
        const std::string got = co_await read_to_end(*near);
        EXPECT_EQ(got, "hello");
    }(*loop, folder.file("s")));
}

TEST(UnixSockets, HaveThePermissionsThatWereAskedForWhateverTheUmask) {
    const Folder folder;
    for (const unsigned mode : {0600U, 0660U, 0666U}) {
        const mode_t before = ::umask(0077);
        const auto fd = listen_unix(folder.file(std::to_string(mode)), mode);
        EXPECT_EQ(::umask(before), 0077U) << "the umask is the caller's";
        EXPECT_EQ(mode_of(folder.file(std::to_string(mode))), mode);
    }
}

TEST(UnixSockets, AStaleFileIsReplacedAndALiveOrForeignOneIsNot) {
    const Folder folder;
    const std::string path = folder.file("s");
    {
        const Fd first = *listen_unix(path, 0600);
        const auto second = listen_unix(path, 0600);
        ASSERT_FALSE(second.has_value());
        EXPECT_EQ(second.error().message, "can't listen on " + path + ": a running gateway answers there");
    }
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_TRUE(listen_unix(path, 0600).has_value()) << "its program is gone";

    const std::string document = folder.file("document");
    std::ofstream(document) << "precious";
    const auto over_file = listen_unix(document, 0600);
    ASSERT_FALSE(over_file.has_value());
    EXPECT_THAT(over_file.error().message, HasSubstr("Address already in use"));
    EXPECT_EQ(std::filesystem::file_size(document), 8U);
}

TEST(UnixSockets, APathThatCannotBeIsAnError) {
    const auto too_long = listen_unix("/" + std::string(200, 'x'), 0600);
    ASSERT_FALSE(too_long.has_value());
    EXPECT_THAT(too_long.error().message, HasSubstr("at most 107 characters"));
    const Folder folder;
    const auto no_folder = listen_unix(folder.file("none/s"), 0600);
    ASSERT_FALSE(no_folder.has_value());
    EXPECT_THAT(no_folder.error().message, HasSubstr("No such file or directory"));
}

TEST(UnixSockets, ConnectingToNobodyIsRefused) {
    const Folder folder;
    { const auto stale = listen_unix(folder.file("stale"), 0600); }
    for (const char* name : {"stale", "absent"}) {
        SCOPED_TRACE(name);
        VirtualLoop loop;
        loop.run([](Loop& on, std::string path) -> Task<void> {
            Cancellation cancellation;
            const auto failed = co_await connect_unix(on, cancellation, std::move(path), Deadline::none);
            EXPECT_FALSE(failed.has_value());
            if (!failed) EXPECT_EQ(failed.error().failure, ConnectFailure::refused);
        }(*loop, folder.file(name)));
    }
}
