// For the tests of this room: a folder of their own, and the openssl program as an independent judge.
#pragma once

#include "base/time.hpp"

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace sallyport::certs::testing {

inline WallTime now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

struct Output {
    int status = -1;
    std::string text;  // stdout and stderr
};

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "sallyport-certs-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

    void write(std::string_view name, std::string_view text) const { std::ofstream(path_ / name) << text; }
    std::string read(std::string_view name) const {
        std::ifstream file(path_ / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    /// Runs a shell command within the folder.
    Output run(const std::string& command) const {
        Output output;
        FILE* pipe = popen(("cd '" + path_.string() + "' && { " + command + " ; } 2>&1").c_str(), "r");
        if (pipe == nullptr) return output;
        std::array<char, 4096> buffer;
        while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe))
            output.text.append(buffer.data(), size);
        const int status = pclose(pipe);
        output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return output;
    }

private:
    std::filesystem::path path_;
};

}  // namespace sallyport::certs::testing
