#include "gate/http/acme.hpp"

#include "io/fd.hpp"
#include "io/worker.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace sallyport::gate::http {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view well_known = "/.well-known/acme-challenge/";
constexpr std::size_t longest_token = 128;
constexpr std::size_t most_content = std::size_t{4} * 1024;  // a key authorization has some hundred bytes
constexpr Duration room_within = 5s;  // authorities wait for some ten seconds
constexpr Duration next_try_in = 5ms;

bool is_token_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::optional<std::string> read_small_file(const std::filesystem::path& file) {
    // A pipe put there must not hold the thread.
    const io::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat facts{};
    if (fd.get() < 0 || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
    std::array<char, most_content> room;
    const ssize_t count = ::read(fd.get(), room.data(), room.size());
    if (count < 0) return std::nullopt;
    return std::string(room.data(), static_cast<std::size_t>(count));
}

}  // namespace

std::string_view challenge_token(std::string_view path) {
    if (!path.starts_with(well_known)) return {};
    const std::string_view token = path.substr(well_known.size());
    return token.size() <= longest_token && std::ranges::all_of(token, is_token_character) ? token : std::string_view{};
}

// A flood of such requests must not turn a true one away to services that know nothing of it: who finds the queue full
// asks again.
io::Task<std::optional<std::string>> read_challenge(Connection& connection, std::filesystem::path directory,
                                                    std::string token) {
    io::Worker& files = *connection.gate().shared().files;
    io::Loop& loop = connection.loop();
    io::Cancellation& cancellation = connection.session.cancellation;
    const std::filesystem::path file = directory / token;
    const SteadyTime until = loop.now() + room_within;
    for (;;) {
        auto content = co_await files.run(loop, cancellation, [file] { return read_small_file(file); });
        if (content) co_return std::move(*content);
        if (content.error() != io::NotRun::full || loop.now() >= until) co_return std::nullopt;
        co_await io::Sleep(loop, cancellation, loop.in(next_try_in));
    }
}

}  // namespace sallyport::gate::http
