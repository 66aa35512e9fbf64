// The one record in which the story of a connection or request ends, and its compact form for the ring between a
// data loop and the log's thread.
#pragma once

#include "base/address.hpp"
#include "base/bytes.hpp"
#include "base/time.hpp"
#include "telemetry/protocol.hpp"
#include "telemetry/reason.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sallyport::telemetry {

enum class Verdict : std::uint8_t { refused, forwarded };

constexpr std::string_view name(Verdict verdict) { return verdict == Verdict::forwarded ? "forwarded" : "refused"; }

/// Built when it is reported and gone after the call: its texts are views into what the caller holds.
/// Texts may come from outside as they are; whoever prints them escapes them.
struct Record {
    WallTime time;
    Protocol protocol = Protocol::http;
    std::string_view listener;  // ":443"
    SocketAddress client;
    std::string_view service;     // name of the service that was found; empty: none
    std::string_view looked_for;  // the name asked for, as it was compared; empty: none
    std::string_view nearest;     // the configured name nearest to an unknown one
    std::string_view target;      // "172.16.0.90:636", "builtin:welcome"; empty: none was chosen
    bool tls_client = false;
    bool tls_target = false;  // means nothing without a target
    Verdict verdict = Verdict::refused;
    Reason reason = Reason::ok;
    std::uint64_t bytes_in = 0;   // from the client
    std::uint64_t bytes_out = 0;  // to the client
    Duration duration{};
    std::string_view method;  // http
    std::string_view url;     // http; path and query as they came
    std::uint16_t status = 0;  // http: what the client was answered; 0: nothing
    std::string_view detail;   // one short sentence, such as the codec's error
};

/// A text of a record and how much of it the ring carries, in bytes. Longer ones end in "...".
struct RecordText {
    std::string_view Record::* member;
    std::uint16_t most;
};

inline constexpr std::array record_texts{
    RecordText{&Record::listener, 64}, RecordText{&Record::service, 256}, RecordText{&Record::looked_for, 256},
    RecordText{&Record::nearest, 256}, RecordText{&Record::target, 280},  RecordText{&Record::method, 32},
    RecordText{&Record::url, 1024},    RecordText{&Record::detail, 256},
};

inline constexpr std::size_t max_encoded_record = 3072;  // bytes

/// Serializes into `room` without allocating. Answers the written part.
Bytes encode(const Record& record, std::array<std::byte, max_encoded_record>& room);

/// The reverse, for bytes that encode() wrote in this process: its texts are views into `frame`.
Record decode(Bytes frame);

}  // namespace sallyport::telemetry
