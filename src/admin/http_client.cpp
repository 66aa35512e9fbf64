#include "admin/http_client.hpp"

#include "admin/inbox.hpp"
#include "io/scope.hpp"
#include "io/sockets.hpp"
#include "wire/http/fields.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace sallyport::admin {

namespace {

using Answer = Result<ClientResponse, CallError>;

/// What the head of an answer says.
struct Announced {
    ClientResponse response;
    http::Framing framing;
};

CallError connect_error(const std::string& path, const io::ConnectError& error) {
    const bool permission = error.error == EACCES || error.error == EPERM;
    const std::string why = error.error == 0 ? "it did not accept the connection in time" : std::strerror(error.error);
    if (permission)
        return {CallFailure::not_permitted, "not permitted to use the gateway's socket " + path + ": " + why};
    return {CallFailure::unreachable, "no gateway answers at " + path + ": " + why};
}

CallError trouble_error(const std::string& path, Trouble trouble) {
    switch (trouble) {
        case Trouble::closed:
            return {CallFailure::unreachable,
                    "the gateway at " + path + " closed the connection without a whole answer"};
        case Trouble::timeout: return {CallFailure::unreachable, "the gateway at " + path + " did not answer in time"};
        case Trouble::too_large: return {CallFailure::broken, "the answer from " + path + " is larger than it may be"};
        case Trouble::malformed: break;
    }
    return {CallFailure::broken, "the answer from " + path + " is not valid HTTP: does something else listen there?"};
}

/// What a 403 comes to, with the sentence of its problem (RFC 9457) where it has one.
CallError refusal_error(const std::string& path, const std::string& body) {
    std::string message = "the gateway at " + path + " does not permit it";
    const auto problem = nlohmann::json::parse(body, nullptr, false);
    const auto detail = problem.find("detail");
    if (detail != problem.end() && detail->is_string()) message += ": " + detail->get<std::string>();
    return {CallFailure::not_permitted, std::move(message)};
}

std::string written(const ClientRequest& request) {
    std::string out = request.method + " " + request.target + " HTTP/1.1\r\nHost: sallyport\r\nConnection: close\r\n";
    if (!request.body.empty()) {
        out += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
    } else if (request.method != "GET") {
        out += "Content-Length: 0\r\n";
    }
    return out + "\r\n" + request.body;
}

std::expected<std::optional<Announced>, Trouble> take_head(Inbox& inbox, http::Method asked) {
    http::ResponseHead head;
    const http::HeadResult result = http::parse_response(inbox.bytes(), asked, head);
    if (result.refused() || (result.complete() && head.interim())) return std::unexpected(Trouble::malformed);
    if (result.need_more()) return std::nullopt;
    const http::Field* type = http::find(head.fields, "Content-Type");
    Announced announced{.response = {.status = head.status,
                                     .content_type = std::string(type == nullptr ? "" : type->value),
                                     .body = {}},
                        .framing = head.framing};
    inbox.drop(result.length);
    return announced;
}

io::Task<std::expected<ClientResponse, Trouble>> receive(io::Stream& stream, http::Method asked,
                                                         io::Deadline deadline) {
    Inbox inbox(stream);
    for (;;) {
        auto head = take_head(inbox, asked);
        if (!head) co_return std::unexpected(head.error());
        if (*head) {
            auto body = co_await inbox.body((*head)->framing, max_answer, deadline);
            if (!body) co_return std::unexpected(body.error());
            (*head)->response.body = std::move(*body);
            co_return std::move((*head)->response);
        }
        if (const auto trouble = co_await inbox.more_of_head(deadline)) co_return std::unexpected(*trouble);
    }
}

}  // namespace

io::Task<Result<ClientResponse, CallError>> request(io::Loop& loop, std::string socket_path, ClientRequest request,
                                                    io::Deadline deadline) {
    io::Cancellation never;
    auto stream = co_await io::connect_unix(loop, never, socket_path, deadline);
    if (!stream) co_return std::unexpected(connect_error(socket_path, stream.error()));
    // A gateway that turns us away may have closed its side already: its answer counts, not our failed write.
    const io::Wait sent = co_await stream->write_all(written(request), deadline);
    if (sent == io::Wait::timeout) co_return std::unexpected(trouble_error(socket_path, Trouble::timeout));
    const http::Method asked = request.method == "HEAD" ? http::Method::head : http::Method::other;
    auto response = co_await receive(*stream, asked, deadline);
    if (!response) co_return std::unexpected(trouble_error(socket_path, response.error()));
    if (response->status == 403) co_return std::unexpected(refusal_error(socket_path, response->body));
    co_return std::move(*response);
}

Result<ClientResponse, CallError> call(const std::string& socket_path, ClientRequest what, Duration within) {
    auto created = io::Loop::create();
    if (!created) return std::unexpected(CallError{CallFailure::broken, created.error().message});
    io::Loop& loop = **created;
    std::optional<Answer> answer;
    io::Scope scope(loop);
    scope.spawn([](io::Loop& on, std::string path, ClientRequest asked, Duration time,
                   std::optional<Answer>& out) -> io::Task<void> {
        out.emplace(co_await request(on, std::move(path), std::move(asked), on.in(time)));
        on.stop();
    }(loop, socket_path, std::move(what), within, answer));
    loop.run();
    return std::move(*answer);
}

}  // namespace sallyport::admin
