// The directory that holds what the firewall is restored from: after a reboot, and when a change was not confirmed.
//
// What stands in it is loaded as root. So it is root's alone, apart from the gateway's own state, which the gateway's
// user may write to.
#pragma once

#include "base/result.hpp"
#include "io/fd.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::firewall {

class StateDir {
public:
    /// Makes the directory where it is missing. An error where somebody else could write to it.
    static Result<StateDir> open(const std::filesystem::path& path);

    /// The whole file or none: by another name first, synced to the disk, then renamed. An error leaves the old one.
    Result<void> write(std::string_view name, std::string_view text) const;
    /// Nothing: there is no such file.
    Result<std::optional<std::string>> read(std::string_view name) const;
    Result<void> rename(std::string_view from, std::string_view to) const;
    void remove(std::string_view name) const;

    /// Held until the descriptor and all its copies in other processes are closed. Nothing: somebody holds it.
    Result<std::optional<io::Fd>> try_lock(std::string_view name) const;
    /// The same, and waits for it.
    Result<io::Fd> lock(std::string_view name) const;

    int fd() const { return directory_.get(); }
    const std::filesystem::path& path() const { return path_; }

private:
    StateDir(std::filesystem::path path, io::Fd directory) : path_(std::move(path)), directory_(std::move(directory)) {}
    Result<io::Fd> open_lock(std::string_view name) const;
    std::string place(std::string_view name) const { return (path_ / name).string(); }

    std::filesystem::path path_;
    io::Fd directory_;
};

}  // namespace sallyport::firewall
