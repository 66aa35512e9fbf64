// Any name at all has a domain that is a host name, or none with a reason. Labels written as a DN in any of the ways
// that RFC 4514 has for them are found again.
#include "base/fuzzing.hpp"
#include "base/text.hpp"
#include "wire/ldap/bind_name.hpp"
#include "wire/ldap/dn.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace {

using namespace sallyport;
using namespace sallyport::ldap;
using fuzzing::require;

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

void read_any(std::string_view name) {
    const BindDomain found = bind_domain(name);
    require((found.form == NameForm::none) == found.domain.empty());
    require(found.domain.size() <= max_domain && std::ranges::all_of(found.domain, is_host_character));
    require(!found.domain.starts_with('.') && !found.domain.ends_with('.') &&
            found.domain.find("..") == std::string::npos);

    DnReader reader(name);
    bool first = true;
    while (const auto attribute = reader.next()) {
        require(!first || attribute->begins_rdn);
        first = false;
        require(!attribute->type.empty() && name.find(attribute->type) != std::string_view::npos);
        if (const auto value = text_of(attribute->value)) require(value->size() <= DnValue::capacity);
    }
    require(!reader.next());
}

class Choices {
public:
    explicit Choices(std::string_view bytes) : bytes_(bytes) {}
    bool empty() const { return bytes_.empty(); }
    unsigned next(unsigned bound) {
        if (bytes_.empty()) return 0;
        const auto value = static_cast<unsigned char>(bytes_.front());
        bytes_.remove_prefix(1);
        return value % bound;
    }

private:
    std::string_view bytes_;
};

std::string hex(char c) {
    constexpr std::string_view digits = "0123456789aBcDeF";
    const auto value = static_cast<unsigned char>(c);
    return {digits[value >> 4], digits[value & 15]};
}

std::string any_label(Choices& choices) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCXYZ0189";
    std::string out;
    for (unsigned left = 1 + choices.next(63); left > 0; --left) out += letters[choices.next(letters.size())];
    return out;
}

std::string written(std::string_view label, Choices& choices) {
    std::string out;
    switch (choices.next(4)) {
        case 0:
            for (const char c : label) out += hex(c);
            return "#16" + hex(static_cast<char>(label.size())) + out;
        case 1:
            for (const char c : label) out += choices.next(3) == 0 ? "\\" + hex(c) : std::string(1, c);
            return "\"" + out + "\"";
        case 2: return std::string(label);
        default:
            for (const char c : label) out += choices.next(2) == 0 ? "\\" + hex(c) : std::string(1, c);
            return out;
    }
}

// A value that is none of the domain, whatever is in it.
std::string other_attribute(Choices& choices) {
    std::string out = "cn=";
    for (unsigned left = choices.next(20); left > 0; --left) {
        const auto c = static_cast<char>(choices.next(256));
        out += is_host_character(c) ? std::string(1, c) : "\\" + hex(c);
    }
    return out;
}

void find_again(Choices choices) {
    constexpr std::string_view types[] = {"dc", "DC", "0.9.2342.19200300.100.1.25", "oid.0.9.2342.19200300.100.1.25"};
    constexpr std::string_view separators[] = {",", ";", " , ", ",  "};
    std::string dn, domain;
    while (!choices.empty()) {
        const std::string label = any_label(choices);
        if (!dn.empty()) dn += separators[choices.next(4)];
        if (choices.next(3) == 0) dn += other_attribute(choices) + (choices.next(2) == 0 ? "+" : " ,");
        dn += std::string(types[choices.next(4)]) + (choices.next(2) == 0 ? "=" : " = ") + written(label, choices);
        domain += (domain.empty() ? "" : ".") + to_lower(label);
    }
    if (domain.empty() || domain.size() > max_domain) return;
    const BindDomain found = bind_domain(dn);
    require(found.form == NameForm::dn && found.domain == domain);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    read_any(input);
    find_again(Choices(input));
    return 0;
}
