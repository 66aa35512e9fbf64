#include "egress/accounting.hpp"

#include "base/mac.hpp"
#include "egress/person.hpp"

#include <algorithm>
#include <iterator>

namespace sallyport::egress {

namespace {

crypto::Md5 signature(Bytes message, std::string_view secret) {
    std::vector<std::byte> signed_text(message.begin(), message.end());
    std::ranges::copy(as_bytes(secret), std::back_inserter(signed_text));
    return crypto::md5(signed_text);
}

// Calling-Station-Id may go on after the address: "02-00-5E-10-00-01:SSID" (RFC 3580 section 3.21).
std::string mac_of(std::string_view calling) {
    constexpr std::size_t with_separators = 17;
    if (auto whole = canonical_mac(calling)) return *whole;
    return canonical_mac(calling.substr(0, with_separators)).value_or("");
}

// Some call themselves 127.0.0.1, or nothing.
IpAddress server_of(const radius::Accounting& said, const IpAddress& from) {
    return said.nas && !said.nas->is_unspecified() && !said.nas->is_loopback() ? *said.nas : from;
}

}  // namespace

std::optional<radius::Accounting> read_genuine(Bytes datagram, std::string_view secret) {
    auto request = radius::read_accounting(datagram);
    if (!request || secret.empty()) return std::nullopt;
    const crypto::Md5 wanted = signature(radius::request_to_sign(*request), secret);
    if (!crypto::constant_time_equal(wanted, request->authenticator)) return std::nullopt;
    return request;
}

std::array<std::byte, radius::head_size> acknowledge(const radius::Accounting& request, std::string_view secret) {
    std::array<std::byte, radius::head_size> out = radius::response_to_sign(request);
    // The request's attributes are not repeated, so the signature is over the head alone.
    const crypto::Md5 authenticator = signature(out, secret);
    std::ranges::copy(authenticator, out.end() - radius::authenticator_size);
    return out;
}

std::vector<IpAddress> note(const radius::Accounting& said, const IpAddress& from, WallTime now, People& people) {
    using radius::Status;
    const IpAddress server = server_of(said, from);
    if (said.status == Status::server_on || said.status == Status::server_off) return people.end_stays(server, "");
    if (said.status == Status::other || said.session.empty()) return {};
    if (said.status == Status::stop) return people.end_stays(server, std::string(said.session));
    Stay stay{.mac = mac_of(said.calling), .session = std::string(said.session), .server = server, .heard = now};
    // A name with control characters could not be a pin's, nor stand in a list.
    if (const auto user = Pin::make(PinKind::user, said.user, {})) stay.user = user->who;
    if (stay.user.empty() && stay.mac.empty()) return {};
    std::vector<IpAddress> changed;
    for (const auto& address : {said.v4, said.v6}) {
        if (address && people.begin_stay(*address, stay)) changed.push_back(*address);
    }
    return changed;
}

}  // namespace sallyport::egress
