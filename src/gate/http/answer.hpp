// Our own answers to HTTP clients: a whole response with a small page that says why, by reason code and in a sentence.
// Never the target, never our version.
#pragma once

#include "base/time.hpp"
#include "wire/http/head.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sallyport::gate::http {

/// How a refusal is told to an HTTP client.
struct RefusalRow {
    std::string_view reason;  // its code
    std::uint16_t status;
    bool closes = false;  // the connection can't be used any further
    std::uint16_t retry_after = 0;  // seconds; 0: not said
};

/// The row of a reason code; that of 500 for one that has none.
const RefusalRow& refusal_row(std::string_view reason);

struct Answer {
    std::string_view reason;  // code: chooses the status
    std::string_view cause;  // one sentence for the reader, without remedy
    std::string_view looked_for = {};  // the name or path that was asked for; may be empty. Untrusted
    sallyport::http::Method method = sallyport::http::Method::get;  // HEAD gets no body
    std::uint16_t status = 0;  // 0: as the table says
    std::string location = {};  // of a redirect: a URL without blanks or line ends
    bool keep_alive = true;  // as far as the table lets it live
    WallTime time = {};  // now
};

/// The bytes of the response. Whether the connection lives on afterwards: see keeps_alive.
std::string write_answer(const Answer& answer);

/// The bytes of a 200 of our own.
std::string write_page(std::string_view media_type, std::string_view body, sallyport::http::Method method,
                       bool keep_alive);

/// What write_answer has told the client about the connection.
bool keeps_alive(const Answer& answer);

}  // namespace sallyport::gate::http
