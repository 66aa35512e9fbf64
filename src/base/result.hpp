// Result<T>: a value, or an error that says what was looked for and where. The only error channel across
// room borders; exceptions stay for bugs and start-up.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace sallyport {

/// An error for people: one sentence, what was tried, on what, why it did not work. No trailing period.
struct Error {
    std::string message;
};

template <class T, class E = Error>
using Result = std::expected<T, E>;

template <class E>
auto fail(E error) {
    return std::unexpected<E>(std::move(error));
}
inline auto fail(std::string message) { return std::unexpected<Error>(Error{std::move(message)}); }
inline auto fail(const char* message) { return std::unexpected<Error>(Error{message}); }

}  // namespace sallyport
