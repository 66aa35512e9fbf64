// Puts the confirmed rules back for a gateway that no longer may: a process of its own, which keeps the rights of root
// that the gateway gives up, and does this one thing when it is asked to. It ends with the gateway.
#pragma once

#include "base/result.hpp"
#include "io/fd.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::firewall {

class Mender {
public:
    /// The answer of one that has ended.
    static constexpr std::string_view gone = "the process that would do it is gone";

    /// To be started as root, before the first thread.
    static Result<Mender> start(const std::filesystem::path& state_dir);

    /// Has our table loaded as it was confirmed, unless there is one. Never blocks.
    void ask();
    /// Readable when there is an answer.
    int fd() const { return line_.get(); }
    /// What came of it: empty, it went well; a sentence, it did not. Nothing: no answer yet.
    std::optional<std::string> answer();

private:
    explicit Mender(io::Fd line) : line_(std::move(line)) {}

    io::Fd line_;
};

}  // namespace sallyport::firewall
