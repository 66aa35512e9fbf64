// Notices that files were replaced. The directories are watched, not the files: whoever renews a certificate renames a
// new file over the old one or turns a symbolic link, and a watch on the old file would stay with the old file.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace sallyport::io {

class FileWatch {
public:
    /// Made before the files are loaded, nothing that happens to them is missed. Files and directories may be missing;
    /// they are noticed when they come. Fails when the system has no inotify instance left.
    static Result<FileWatch> create(const std::vector<std::filesystem::path>& files);

    FileWatch(FileWatch&& other) noexcept;
    FileWatch& operator=(FileWatch&& other) noexcept;
    ~FileWatch();

    /// Readable when something happened in a directory.
    int fd() const { return fd_; }

    /// Those of the files, as they were given, that are another file or other content than when last asked. Never
    /// blocks. A file that is gone is reported when there is one again. Network file systems send no events: also worth
    /// asking from time to time.
    std::vector<std::filesystem::path> changed();

private:
    // What makes it this file with this content; symbolic links followed.
    struct Identity {
        std::uint64_t device = 0, inode = 0, size = 0;
        std::int64_t modified = 0, status_changed = 0;  // nanoseconds since the epoch
        bool operator==(const Identity&) const = default;
    };
    struct File {
        std::filesystem::path path;
        Identity last;
    };

    explicit FileWatch(int fd) : fd_(fd) {}
    void watch_directories() const;
    void drop_events() const;
    static Identity identity_of(const std::filesystem::path& file);

    int fd_;
    std::vector<File> files_;
};

}  // namespace sallyport::io
