// What the fields of a message say about its body and its connection. Internal to wire/http.
#pragma once

#include "base/result.hpp"
#include "wire/http/head.hpp"

#include <optional>
#include <string_view>

namespace sallyport::http {

struct Announced {
    unsigned hosts = 0;  // how often each of these fields stands in the head
    unsigned lengths = 0;
    unsigned encodings = 0;
    std::string_view host;  // the last value of each
    std::string_view length;
    std::string_view encoding;
    bool close = false;  // members of Connection
    bool keep_alive = false;
    bool upgrade = false;
    bool lists_fields = false;
    bool websocket = false;  // a member of Upgrade
    bool expect_continue = false;
    bool binds_connection = false;  // authentication that holds for the connection

    /// RFC 9112 section 9.3.
    bool persistent(unsigned minor_version) const { return !close && (minor_version == 1 || keep_alive); }
};

Announced read_announced(const FieldList& fields);

/// The body that Content-Length or Transfer-Encoding announce; nothing where neither is there.
Result<std::optional<Framing>, HeadError> announced_body(const Announced& announced, unsigned minor_version);

}  // namespace sallyport::http
