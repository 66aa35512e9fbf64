#include "diagnose/glance/certificate.hpp"

#include "wire/ber/reader.hpp"

#include <algorithm>
#include <string_view>

namespace sallyport::diagnose {

namespace {

constexpr std::uint8_t set_tag = 0x31, object_identifier_tag = 0x06;
constexpr std::size_t longest_part = 64;  // bytes of a name that are kept
constexpr std::string_view common_name = "\x55\x04\x03", organization = "\x55\x04\x0A";

// RDNSequence: sets of pairs of a type and a string of any kind.
std::optional<std::string> read_name(Bytes contents) {
    std::string common, organized;
    ber::Reader name(contents);
    while (!name.empty()) {
        auto set = name.enter(set_tag);
        if (!set) return std::nullopt;
        while (!set->empty()) {
            auto pair = set->enter(ber::sequence_tag);
            const auto type = pair ? pair->take(object_identifier_tag) : std::unexpected(pair.error());
            const auto value = type ? pair->next() : std::unexpected(type.error());
            if (!value) return std::nullopt;
            const auto text = as_text(value->contents.first(std::min(value->contents.size(), longest_part)));
            if (as_text(*type) == common_name) common = text;
            if (as_text(*type) == organization) organized = text;
        }
    }
    if (common.empty() || organized.empty()) return common + organized;
    return common + ", " + organized;
}

}  // namespace

std::optional<CertificateGlance> glance_certificate(Bytes certificate) {
    constexpr std::uint8_t version_tag = ber::context_constructed(0);
    auto outer = ber::Reader(certificate).enter(ber::sequence_tag);
    auto body = outer ? outer->enter(ber::sequence_tag) : outer;
    if (!body) return std::nullopt;
    if (body->next_is(version_tag) && !body->take(version_tag)) return std::nullopt;
    const auto serial = body->take(ber::integer_tag);
    const auto algorithm = serial ? body->take(ber::sequence_tag) : serial;
    const auto issuer = algorithm ? body->take(ber::sequence_tag) : algorithm;
    const auto validity = issuer ? body->take(ber::sequence_tag) : issuer;
    const auto subject = validity ? body->take(ber::sequence_tag) : validity;
    if (!subject) return std::nullopt;
    const auto issued_by = read_name(*issuer), whose = read_name(*subject);
    if (!issued_by || !whose) return std::nullopt;
    return CertificateGlance{
        .subject = *whose, .issuer = *issued_by, .self_issued = as_text(*issuer) == as_text(*subject)};
}

}  // namespace sallyport::diagnose
