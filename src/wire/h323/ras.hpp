// RAS messages of H.225.0 (section 7.6 and on), as H.460.17 carries them on the call signalling connection.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/h323/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::h323 {

/// The alternatives of RasMessage that this program looks at, by their index.
namespace ras {
inline constexpr std::uint8_t gatekeeper_request = 0;
inline constexpr std::uint8_t gatekeeper_confirm = 1;
inline constexpr std::uint8_t gatekeeper_reject = 2;
inline constexpr std::uint8_t registration_request = 3;
inline constexpr std::uint8_t registration_confirm = 4;
inline constexpr std::uint8_t registration_reject = 5;
}  // namespace ras

/// Reasons of a GatekeeperReject and a RegistrationReject; those behind the "..." count on.
namespace gatekeeper_reject_reason {
inline constexpr std::uint8_t resource_unavailable = 0;
inline constexpr std::uint8_t terminal_excluded = 1;
inline constexpr std::uint8_t undefined_reason = 3;
inline constexpr std::uint8_t security_denial = 4;
inline constexpr std::uint8_t security_error = 7;
}  // namespace gatekeeper_reject_reason
namespace registration_reject_reason {
inline constexpr std::uint8_t duplicate_alias = 4;
inline constexpr std::uint8_t undefined_reason = 6;
inline constexpr std::uint8_t resource_unavailable = 9;
inline constexpr std::uint8_t invalid_alias = 10;
inline constexpr std::uint8_t security_denial = 11;
inline constexpr std::uint8_t invalid_terminal_aliases = 14;
inline constexpr std::uint8_t generic_data_reason = 15;
inline constexpr std::uint8_t security_error = 17;
}  // namespace registration_reject_reason

/// Where else a gatekeeper sends an endpoint.
struct AlternateGatekeeper {
    std::optional<SocketAddress> address;  // nothing: not of the Internet
    std::string identifier;  // empty: none
    bool need_to_register = false;
};

struct RasMessage {
    std::uint8_t kind = 0;  // index in RasMessage; those behind the "..." count on
    std::uint16_t request_seq_num = 0;  // 0: it could not be read, or is not looked for in this kind
    std::optional<std::string> gatekeeper_identifier;  // UTF-8
    std::vector<Alias> aliases;  // endpointAlias, terminalAlias
    std::optional<std::uint8_t> reject_reason;
    std::vector<AlternateGatekeeper> alternates;  // of a reject: it is a redirect

    bool is_request() const { return kind == ras::gatekeeper_request || kind == ras::registration_request; }
    bool is_reject() const { return kind == ras::gatekeeper_reject || kind == ras::registration_reject; }
};

/// "registrationRequest"; empty for kinds that H.225.0 does not know.
std::string_view ras_name(std::uint8_t kind);
/// "securityDenial"; empty for reasons that H.225.0 does not know, and for messages that have none.
std::string_view reject_reason_name(const RasMessage& message);

/// Reads a RasMessage, the raw content of H.460.17.
/// @param message  filled as far as it goes also where it fails: who answers needs the number.
Result<void, ReadError> read_ras(Bytes encoding, RasMessage& message);

}  // namespace sallyport::h323
