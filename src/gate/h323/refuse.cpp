#include "gate/h323/refuse.hpp"

#include <algorithm>
#include <iterator>
#include <string>

namespace sallyport::gate::h323 {

namespace {

using telemetry::Reason;
using namespace sallyport::h323;
namespace grj = sallyport::h323::gatekeeper_reject_reason;
namespace rrj = sallyport::h323::registration_reject_reason;
namespace release = sallyport::h323::release_complete_reason;

// Values of Q.850 section 2.2.7.
namespace cause {
constexpr std::uint8_t no_route = 3;
constexpr std::uint8_t rejected = 21;
constexpr std::uint8_t invalid_number = 28;
constexpr std::uint8_t temporary_failure = 41;
constexpr std::uint8_t no_resources = 47;
constexpr std::uint8_t protocol_error = 111;
}  // namespace cause

struct Row {
    Reason reason;
    std::uint8_t grj;
    std::uint8_t rrj;
    std::uint8_t release;
    std::uint8_t cause;
};

constexpr Row rows[] = {
    {Reason::service_unknown, grj::undefined_reason, rrj::undefined_reason, release::unreachable_destination,
     cause::no_route},
    {Reason::service_no_name, grj::undefined_reason, rrj::undefined_reason, release::unreachable_destination,
     cause::invalid_number},
    {Reason::acl_denied, grj::security_denial, rrj::security_denial, release::no_permission, cause::rejected},
    {Reason::ban_active, grj::security_denial, rrj::security_denial, release::no_permission, cause::rejected},
    {Reason::cert_name_mismatch, grj::security_denial, rrj::security_denial, release::security_denied, cause::rejected},
    {Reason::peek_malformed, grj::undefined_reason, rrj::undefined_reason, release::undefined_reason,
     cause::protocol_error},
    {Reason::peek_too_large, grj::undefined_reason, rrj::undefined_reason, release::undefined_reason,
     cause::protocol_error},
    {Reason::peek_timeout, grj::undefined_reason, rrj::undefined_reason, release::undefined_reason,
     cause::protocol_error},
    {Reason::limit_service, grj::resource_unavailable, rrj::resource_unavailable, release::gatekeeper_resources,
     cause::no_resources},
};

// Nobody is there to take it now: a phone tries again, or goes to another gatekeeper that it knows.
constexpr Row unavailable{Reason::target_down, grj::resource_unavailable, rrj::resource_unavailable,
                          release::unreachable_gatekeeper, cause::temporary_failure};

}  // namespace

Bytes write_refusal(AnswerRoom& room, const Heard& heard, Reason reason) {
    if (!heard.answerable) return {};
    const auto* found = std::ranges::find(rows, reason, &Row::reason);
    const Row& row = found == std::end(rows) ? unavailable : *found;
    const std::string display = "[" + std::string(telemetry::code(reason)) + "]";
    const auto request = std::ranges::find_if(
        heard.ras, [](const RasMessage& ras) { return ras.is_request() && ras.request_seq_num != 0; });
    if (request == heard.ras.end()) return write_release_complete(room, heard.q931, row.release, row.cause, display);
    const bool registration = request->kind == ras::registration_request;
    return write_ras_reject(room, heard.q931, *request, registration ? row.rrj : row.grj, display);
}

}  // namespace sallyport::gate::h323
