// The little HTTP that a benchmark needs: the requests and answers it sends, and reading heads well enough to
// notice a wrong one. Bodies are framed by Content-Length only; anything else is a fault, not a feature.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::bench {

/// A message head, found whole at the start of some text. Views into that text.
struct Head {
    std::string_view start_line;
    std::size_t size = 0;       // bytes of the head with its empty line
    int status = 0;             // of an answer; 0 for a request
    std::size_t body_size = 0;  // Content-Length, 0 when absent
    bool closes = false;        // Connection: close, or HTTP/1.0 without keep-alive
};

/// Nothing while the head is incomplete.
std::optional<Head> read_head(std::string_view text);

/// The value of a field, trimmed; nothing when the head has none. `name` in lower case.
std::optional<std::string_view> field(std::string_view head, std::string_view name);

std::string plain_request(std::string_view host, std::string_view path, bool close);
std::string upgrade_request(std::string_view host, std::string_view path);
std::string ok_answer(std::string_view body);
/// The head of an answer whose body follows.
std::string ok_head(std::uint64_t body_size);
std::string upgrade_answer();

}  // namespace sallyport::bench
