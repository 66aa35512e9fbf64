#include "firewall/state_dir.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace sallyport::firewall {

namespace {

constexpr mode_t only_mine = 0700;
constexpr mode_t written_by_others = 0022;

auto failed(const std::string& what) { return fail(what + ": " + std::generic_category().message(errno)); }

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

}  // namespace

Result<StateDir> StateDir::open(const std::filesystem::path& path) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (::mkdir(path.c_str(), only_mine) != 0 && errno != EEXIST)
        return failed("can't make the directory " + path.string());
    io::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return failed("can't open the directory " + path.string());
    struct stat status{};
    if (::fstat(directory.get(), &status) != 0) return failed("can't look at " + path.string());
    if (status.st_uid != ::geteuid() || (status.st_mode & written_by_others) != 0) {
        return fail(path.string() +
                    " is not ours alone to write to: what stands there is loaded with all rights; "
                    "chown it to root and take the others' right to write");
    }
    return StateDir(path, std::move(directory));
}

Result<void> StateDir::write(std::string_view name, std::string_view text) const {
    const std::string fresh = std::string(name) + ".new";
    io::Fd file(::openat(fd(), fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("can't write " + place(fresh));
    if (!write_all(file.get(), text) || ::fsync(file.get()) != 0) {
        auto error = failed("can't write " + place(name));
        ::unlinkat(fd(), fresh.c_str(), 0);
        return error;
    }
    return rename(fresh, name);
}

Result<std::optional<std::string>> StateDir::read(std::string_view name) const {
    const io::Fd file(::openat(fd(), std::string(name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file && errno == ENOENT) return std::nullopt;
    if (!file) return failed("can't read " + place(name));
    std::string text;
    std::array<char, 65536> part{};
    for (;;) {
        const ssize_t got = ::read(file.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failed("can't read " + place(name));
        if (got == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(got));
    }
}

Result<void> StateDir::rename(std::string_view from, std::string_view to) const {
    if (::renameat(fd(), std::string(from).c_str(), fd(), std::string(to).c_str()) != 0)
        return failed("can't rename " + place(from) + " to " + std::string(to));
    ::fsync(fd());
    return {};
}

void StateDir::remove(std::string_view name) const {
    ::unlinkat(fd(), std::string(name).c_str(), 0);
    ::fsync(fd());
}

Result<io::Fd> StateDir::open_lock(std::string_view name) const {
    io::Fd file(::openat(fd(), std::string(name).c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return failed("can't open " + place(name));
    return file;
}

Result<std::optional<io::Fd>> StateDir::try_lock(std::string_view name) const {
    auto file = open_lock(name);
    if (!file) return fail(file.error());
    if (::flock(file->get(), LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(*file));
    if (errno == EWOULDBLOCK) return std::nullopt;
    return failed("can't lock " + place(name));
}

Result<io::Fd> StateDir::lock(std::string_view name) const {
    auto file = open_lock(name);
    if (!file) return file;
    while (::flock(file->get(), LOCK_EX) != 0) {
        if (errno != EINTR) return failed("can't lock " + place(name));
    }
    return file;
}

}  // namespace sallyport::firewall
