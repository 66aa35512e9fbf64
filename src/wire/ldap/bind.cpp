#include "wire/ldap/bind.hpp"

#include "wire/ldap/message.hpp"

#include <array>
#include <utility>

namespace sallyport::ldap {

namespace {

constexpr std::uint8_t simple_tag = ber::context_primitive(0);
constexpr std::uint8_t sasl_tag = ber::context_constructed(3);
constexpr int supported_version = 3;
constexpr int max_version = 127;

constexpr std::array<std::string_view, 7> texts = {
    "a bind with name and password",      "an anonymous bind", "a bind with a name but no password",
    "a bind with a password but no name", "a SASL bind",       "a bind with an unknown kind of authentication",
    "a bind of another version than 3",
};
static_assert(std::to_underlying(BindKind::unsupported_version) + 1 == texts.size());

BindKind simple_kind(const BindRequest& bind) {
    if (bind.name.empty()) return bind.password.empty() ? BindKind::anonymous : BindKind::nameless;
    return bind.password.empty() ? BindKind::unauthenticated : BindKind::simple;
}

// SaslCredentials: mechanism, credentials OPTIONAL.
Result<void, ber::Error> read_sasl(ber::Reader sasl, BindRequest& bind) {
    const auto mechanism = sasl.octets();
    if (!mechanism) return fail(mechanism.error());
    bind.kind = BindKind::sasl;
    bind.mechanism = *mechanism;
    bind.has_credentials = sasl.next_is(ber::octet_string_tag);
    if (bind.has_credentials && !sasl.octets()) return fail(ber::Error::beyond_parent);
    return sasl.finish();
}

Result<void, ber::Error> read_authentication(ber::Reader& reader, BindRequest& bind) {
    if (reader.next_is(sasl_tag)) {
        const auto sasl = reader.enter(sasl_tag);
        if (!sasl) return fail(sasl.error());
        return read_sasl(*sasl, bind);
    }
    if (reader.next_is(simple_tag)) {
        const auto password = reader.take(simple_tag);
        if (!password) return fail(password.error());
        bind.password = *password;
        bind.kind = simple_kind(bind);
        return {};
    }
    // The same numbers in the other form are no other choice, they are wrong.
    if (reader.next_is(simple_tag ^ ber::constructed_bit)) return fail(ber::Error::constructed_string);
    if (reader.next_is(sasl_tag ^ ber::constructed_bit)) return fail(ber::Error::wrong_tag);
    const auto choice = reader.next();
    if (!choice) return fail(choice.error());
    if ((choice->tag & ber::class_bits) != ber::context_class) return fail(ber::Error::wrong_tag);
    return {};
}

}  // namespace

std::string_view text(BindKind kind) { return texts[std::to_underlying(kind)]; }

Result<BindRequest, ber::Error> read_bind_request(Bytes operation) {
    ber::Reader reader(operation, operation_depth);
    const auto version = reader.integer();
    if (!version) return fail(version.error());
    if (*version < 1 || *version > max_version) return fail(ber::Error::bad_integer);
    const auto name = reader.octets();
    if (!name) return fail(name.error());

    BindRequest bind{.version = static_cast<std::uint8_t>(*version), .name = *name};
    if (const auto sound = read_authentication(reader, bind); !sound) return fail(sound.error());
    if (const auto sound = reader.finish({simple_tag, sasl_tag}); !sound) return fail(sound.error());
    if (bind.version != supported_version) bind.kind = BindKind::unsupported_version;
    return bind;
}

}  // namespace sallyport::ldap
