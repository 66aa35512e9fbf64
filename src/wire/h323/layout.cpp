#include "wire/h323/layout.hpp"

#include <algorithm>
#include <bit>

namespace sallyport::h323 {

namespace {

constexpr unsigned max_additions = 64;  // bits of an extension map

std::size_t read_size(per::Reader& in, const Type& type) {
    return type.high == 0 ? in.length() : in.length(type.low, type.high);
}

void note(Places* places, const Field& field, const per::Reader& place) {
    if (places != nullptr) places->note(field.mark, place);
}

// X.691 section 19.7 and on: how many there may be, which of them are there, and each in an open type.
std::string_view read_additions(per::Reader& in, const Type& type, Places* places) {
    const std::uint32_t count = in.small_number() + 1;
    if (count == 0 || count > max_additions) in.fail(per::Error::too_many);
    if (!in.ok()) return "an extension";
    const std::uint64_t present = in.bits(count);
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
        if ((present >> (count - 1 - i) & 1) == 0) continue;
        const per::Reader inside = in.open();
        if (i >= type.additions.size()) continue;
        note(places, type.additions[i], inside);
        if (!in.ok()) return type.additions[i].name;
    }
    return "an extension";
}

std::string_view read_sequence(per::Reader& in, const Type& type, Places* places, unsigned depth) {
    const bool extended = type.extensible && in.bit();
    const auto optionals = static_cast<unsigned>(std::ranges::count(type.fields, true, &Field::optional));
    std::uint64_t present = in.bits(optionals) << (63 - optionals) << 1;
    for (const Field& field : type.fields) {
        if (field.optional && std::exchange(present, present << 1) >> 63 == 0) continue;
        note(places, field, in);
        if (field.type == nullptr) {
            if (places == nullptr) in.fail(per::Error::unknown_type);
            return field.name;
        }
        skip(in, *field.type, depth + 1);
        if (!in.ok()) return field.name;
    }
    return extended ? read_additions(in, type, places) : std::string_view();
}

void skip_choice(per::Reader& in, const Type& type, unsigned depth) {
    const Chosen chosen = read_choice(in, type);
    if (chosen.addition || !in.ok()) return;
    if (chosen.field->type == nullptr) return in.fail(per::Error::unknown_type);
    skip(in, *chosen.field->type, depth + 1);
}

void skip_list(per::Reader& in, const Type& type, unsigned depth) {
    const std::size_t count = read_size(in, type);
    if (count > max_elements) in.fail(per::Error::too_many);
    for (std::size_t i = 0; i < count && in.ok(); ++i) skip(in, *type.element, depth + 1);
}

// Up to two octets of a fixed size stand where they are (X.691 section 17.6); all else begins at an octet.
void skip_octets(per::Reader& in, const Type& type) {
    if (type.high != 0 && type.low == type.high && type.high <= 2)
        in.bits(8 * type.high);
    else
        in.octets(read_size(in, type));
}

}  // namespace

void skip(per::Reader& in, const Type& type, unsigned depth) {
    if (depth > max_depth) return in.fail(per::Error::too_deep);
    if (!in.ok()) return;
    switch (type.kind) {
        case Kind::null: return;
        case Kind::boolean: in.bit(); return;
        case Kind::integer:
            // Outside its bounds, where it is extensible: as many octets as its length says (X.691 section 13.1).
            if (type.extensible && in.bit())
                in.octets(in.length());
            else
                in.number(type.low, type.high);
            return;
        case Kind::octet_string: skip_octets(in, type); return;
        case Kind::object_identifier: in.octets(in.length()); return;
        case Kind::ia5_string: in.octets(read_size(in, type)); return;
        case Kind::bmp_string: in.octets(2 * read_size(in, type)); return;
        case Kind::digits: {
            const std::size_t digits = read_size(in, type);
            in.octets(digits / 2);
            if (digits % 2 != 0) in.bits(4);
            return;
        }
        case Kind::sequence: read_sequence(in, type, nullptr, depth); return;
        case Kind::sequence_of: skip_list(in, type, depth); return;
        case Kind::choice: skip_choice(in, type, depth); return;
    }
}

std::string_view read_sequence(per::Reader& in, const Type& sequence, Places& places) {
    return read_sequence(in, sequence, &places, 0);
}

Chosen read_choice(per::Reader& in, const Type& choice) {
    if (choice.extensible && in.bit()) {
        const std::size_t index = in.small_number();
        const per::Reader inside = in.open();
        const Field* field = index < choice.additions.size() ? &choice.additions[index] : nullptr;
        return {.index = choice.fields.size() + index, .field = field, .inside = inside, .addition = true};
    }
    const std::size_t count = choice.fields.size();
    const std::size_t index = in.bits(static_cast<unsigned>(std::bit_width(count - 1)));
    if (index >= count) in.fail(per::Error::out_of_range);
    return {.index = index, .field = in.ok() ? &choice.fields[index] : nullptr, .inside = {}};
}

}  // namespace sallyport::h323
