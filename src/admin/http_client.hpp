// One request to the running gateway over its Unix socket: how the command line talks to it.
#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "io/loop.hpp"
#include "io/task.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace sallyport::admin {

struct ClientRequest {
    std::string method = "GET";
    std::string target;  // the path with its query, as with_query makes it
    std::string body = {};
};

/// Whatever the gateway answered but 403: problems too, whose body says what is wrong.
struct ClientResponse {
    unsigned status = 0;
    std::string content_type;
    std::string body;
};

enum class CallFailure : std::uint8_t {
    unreachable,    // nobody listens there, or whoever does is silent: exit status 4
    not_permitted,  // by the socket's mode, or by the gateway (403): exit status 5
    broken,         // what came back can't be read
};

struct CallError {
    CallFailure failure;
    std::string message;  // one sentence, naming the socket; no trailing period
};

inline constexpr std::size_t max_answer = std::size_t{16} * 1024 * 1024;  // bytes of a body

/// Asks on a connection of its own.
io::Task<Result<ClientResponse, CallError>> request(io::Loop& loop, std::string socket_path, ClientRequest request,
                                                    io::Deadline deadline);

/// The same for who has no loop: blocks, at most `within`.
Result<ClientResponse, CallError> call(const std::string& socket_path, ClientRequest request, Duration within);

}  // namespace sallyport::admin
