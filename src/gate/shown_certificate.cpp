#include "gate/shown_certificate.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace sallyport::gate {

namespace {

constexpr std::string_view schemes[] = {"sip:", "sips:", "h323:"};

// Of a name of kind URI (RFC 5922 section 7.1).
std::string_view without_scheme(std::string_view name) {
    for (const std::string_view scheme : schemes) {
        if (equals_ignoring_case(name.substr(0, scheme.size()), scheme)) return name.substr(scheme.size());
    }
    return name;
}

bool is_same(std::string_view name, std::string_view user, std::string_view host) {
    name = without_scheme(name);
    if (!name.starts_with(user)) return false;
    name.remove_prefix(user.size());
    if (name.empty()) return true;
    return !host.empty() && name.front() == '@' && equals_ignoring_case(name.substr(1), host);
}

}  // namespace

bool ShownCertificate::is_for(std::string_view user, std::string_view host) const {
    return !user.empty() && std::ranges::any_of(names_, [&](const auto& name) { return is_same(name, user, host); });
}

std::unique_ptr<ShownCertificate> shown_by(const io::Stream& client) {
    return client.is_tls() ? std::make_unique<ShownCertificate>(client.tls()->peer_certificate()) : nullptr;
}

}  // namespace sallyport::gate
