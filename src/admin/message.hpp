// What the control plane says over HTTP: a request as a handler sees it, its answer, and a refusal as a problem that
// programs can read (RFC 9457). Values that own their text; how they travel is http_server's and http_client's.
#pragma once

#include "base/result.hpp"
#include "telemetry/reason.hpp"
#include "wire/http/status.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sallyport::admin {

using Query = std::map<std::string, std::string, std::less<>>;

struct Request {
    std::string method;  // as received: methods are case-sensitive (RFC 9110 section 9.1)
    std::string path;    // raw, before '?'
    Query query;         // decoded
    std::string body;
};

struct Response {
    unsigned status = 200;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields = {};  // beside those that every answer has
};

/// Why a request was not done, for programs and for people.
struct Problem {
    unsigned status = 500;
    std::string detail;                        // one sentence: what is wrong with this request
    std::optional<telemetry::Reason> reason = {};  // where one applies: its code is told
    nlohmann::json more = {};                  // further members, an object; null: none
};

Response json_response(const nlohmann::json& value, unsigned status = 200);
Response text_response(std::string body, std::string_view content_type = "text/plain; charset=utf-8");
/// `application/problem+json` of the type "about:blank", whose title is the status's phrase (RFC 9457 section 4.2.1).
Response problem_response(const Problem& problem);

/// JSON on one line. Bytes that are not UTF-8, which a peer may have sent, become U+FFFD.
std::string to_text(const nlohmann::json& value);

/// A query as URLs carry it: names and values percent-encoded, '+' for a space (what forms and URLSearchParams send). A
/// name without '=' has an empty value.
/// Errors: a broken percent-encoding; a name given twice, because one of the two would be ignored.
Result<Query> parse_query(std::string_view text);

/// The path with this query behind it: what parse_query reads.
std::string with_query(std::string_view path, std::span<const std::pair<std::string_view, std::string_view>> query);

/// The bytes of a response.
/// @param head_only  the answer to HEAD: the same head, no body (RFC 9110 section 9.3.2).
std::string write_response(const Response& response, bool keep_alive, bool head_only);

}  // namespace sallyport::admin
