#include "io/file_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace sallyport::io {

namespace {

namespace fs = std::filesystem;

// CLOSE_WRITE rather than MODIFY: a file that is being written is not worth reading.
constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB |
                                 IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

// Watching a directory twice is watching it once: inotify knows it by its inode.
void watch(int fd, const fs::path& directory) { inotify_add_watch(fd, directory.c_str(), events); }

// The directory, or while it is missing the nearest one above it, where it will come back.
fs::path nearest_directory(fs::path directory) {
    std::error_code error;
    while (!fs::is_directory(directory, error) && directory.has_relative_path()) directory = directory.parent_path();
    return directory;
}

std::int64_t nanoseconds(const timespec& time) { return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

Result<FileWatch> FileWatch::create(const std::vector<fs::path>& files) {
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        return fail("cannot watch certificate files: " + std::generic_category().message(errno) +
                    " (see /proc/sys/fs/inotify)");
    }
    FileWatch made(fd);
    for (const fs::path& file : files) made.files_.push_back({file, {}});
    made.watch_directories();
    for (File& file : made.files_) file.last = identity_of(file.path);
    return made;
}

FileWatch::FileWatch(FileWatch&& other) noexcept : fd_(std::exchange(other.fd_, -1)), files_(std::move(other.files_)) {}

FileWatch& FileWatch::operator=(FileWatch&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(files_, other.files_);
    return *this;
}

FileWatch::~FileWatch() {
    if (fd_ >= 0) ::close(fd_);
}

std::vector<fs::path> FileWatch::changed() {
    drop_events();
    // Directories first: what happens after this look is an event, what happened before it shows in the identities.
    watch_directories();
    std::vector<fs::path> changed;
    for (File& file : files_) {
        const Identity now = identity_of(file.path);
        if (now == Identity{} || now == file.last) continue;
        file.last = now;
        changed.push_back(file.path);
    }
    return changed;
}

// Where a file can be replaced: in its directory, by its directory, and where symbolic links lead it.
void FileWatch::watch_directories() const {
    for (const File& file : files_) {
        std::error_code error;
        const fs::path directory = nearest_directory(fs::absolute(file.path, error).parent_path());
        watch(fd_, directory);
        watch(fd_, directory.parent_path());
        const fs::path real = fs::canonical(file.path, error);
        if (!error) watch(fd_, real.parent_path());
    }
}

// Which event it was does not matter: the files themselves say what changed, also when the queue overflowed.
void FileWatch::drop_events() const {
    std::array<char, 4096> buffer;
    while (::read(fd_, buffer.data(), buffer.size()) > 0) {}
}

FileWatch::Identity FileWatch::identity_of(const fs::path& file) {
    struct stat status{};
    if (stat(file.c_str(), &status) != 0) return {};
    return {.device = status.st_dev,
            .inode = status.st_ino,
            .size = static_cast<std::uint64_t>(status.st_size),
            .modified = nanoseconds(status.st_mtim),
            .status_changed = nanoseconds(status.st_ctim)};
}

}  // namespace sallyport::io
