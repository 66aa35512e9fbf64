// The names of Apple's push service that are answered or relayed here, and all others that are not.
//
// Devices ask DNS for a numbered courier, "7-courier.push.apple.com", and then name the whole family in their
// ClientHello, "courier.push.apple.com", which has no address. So the number is never found in a ClientHello.
#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport::push {

using config::PushFamily;

/// One courier, whatever stands behind it.
struct Courier {
    PushFamily family = PushFamily::courier;
    std::uint16_t number = 0;  // 0 to 999

    /// "7-courier.push.apple.com"
    std::string host() const;
    bool operator==(const Courier&) const = default;
};

/// What a name stands for, without regard to case. Not a suffix more and not a label less: "xcourier", a courier of
/// four digits or one without a number are nobody's.
/// @param name  with a final dot or without
std::optional<Courier> courier_of(std::string_view name);

/// The family that a ClientHello names: by itself, or by one of its numbered names.
std::optional<PushFamily> family_of(std::string_view server_name);

/// The servers that senders hand pushes to: those of Apple's "APNs provider API", and of the protocol before it.
enum class Provider : std::uint8_t {
    api,
    api_sandbox,
    api_development,
    gateway,
    gateway_sandbox,
    feedback,
    feedback_sandbox
};
std::optional<Provider> provider_of(std::string_view name);
std::string_view host_of(Provider provider);

/// Looks like a courier of a family that this program does not know: worth a word to the admin, once.
bool is_unknown_courier(std::string_view name);

}  // namespace sallyport::push
