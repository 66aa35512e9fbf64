// What the tests beside OpenLDAP's libraries share: their types as ours, and chance that repeats itself.
#pragma once

#include <lber.h>

#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace sallyport::ldap::openldap {

struct FreeBer {
    void operator()(BerElement* element) const { ber_free(element, 1); }
};
using Ber = std::unique_ptr<BerElement, FreeBer>;

inline berval view(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
inline std::string copy(const berval& value) {
    return value.bv_val == nullptr ? "" : std::string(value.bv_val, value.bv_len);
}

inline Ber reading(std::string_view bytes) {
    berval whole = view(bytes);
    return Ber(ber_init(&whole));
}

class Chance {
public:
    explicit Chance(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t bound) { return random_() % bound; }
    bool one_in(std::size_t n) { return below(n) == 0; }
    std::string bytes(std::size_t most) {
        std::string out(below(most + 1), '\0');
        for (char& c : out) c = static_cast<char>(random_());
        return out;
    }

private:
    std::mt19937 random_;
};

}  // namespace sallyport::ldap::openldap
