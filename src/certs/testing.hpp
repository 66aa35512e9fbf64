// For the tests of this room: a folder of their own, and the openssl program as an independent judge.
#pragma once

#include "base/time.hpp"
#include "io/files_testing.hpp"

#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace sallyport::certs::testing {

inline WallTime now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

struct Output {
    int status = -1;
    std::string text;  // stdout and stderr
};

class Folder : public io::testing::Folder {
public:
    /// Runs a shell command within the folder.
    Output run(const std::string& command) const {
        Output output;
        FILE* pipe = popen(("cd '" + path().string() + "' && { " + command + " ; } 2>&1").c_str(), "r");
        if (pipe == nullptr) return output;
        std::array<char, 4096> buffer;
        while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe))
            output.text.append(buffer.data(), size);
        const int status = pclose(pipe);
        output.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return output;
    }
};

}  // namespace sallyport::certs::testing
