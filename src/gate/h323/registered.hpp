// Is a client's certificate for whoever it registers? Which aliases count is the service's `registration_name`.
#pragma once

#include "gate/h323/asked.hpp"
#include "gate/shown_certificate.hpp"

#include <cstdint>
#include <vector>

namespace sallyport::gate::h323 {

enum class Fit : std::uint8_t {
    nothing,  // no alias that counts is registered here: a keep-alive, a call
    yes,
    no,
};

class RegisteredNames {
public:
    explicit RegisteredNames(const config::Service& settings);

    /// Of the registrations in a message. All ids that count have to be in the certificate: with one of its own, nobody
    /// may register another's beside it. Numbers count where there is no such id.
    Fit fit(const ShownCertificate& shown, const Heard& heard) const;

private:
    Fit fit_of(const ShownCertificate& shown, const std::vector<sallyport::h323::Alias>& aliases) const;
    bool counts(config::RegistrationName kind) const { return (kinds_ >> static_cast<unsigned>(kind) & 1) != 0; }

    unsigned kinds_ = 0;  // of config::RegistrationName, as bits
};

}  // namespace sallyport::gate::h323
