#include "dns/local_names.hpp"

#include "wire/dns/message.hpp"

#include <bit>
#include <cstring>

namespace sallyport::dns {

namespace {

constexpr std::size_t head_size = 8 + 4 + 4 + 4;  // of a variant: views, TTL, rule, octets of its sets
constexpr std::size_t set_head_size = 2 + 2 + 4;  // type, records, octets

std::optional<RecordSet> next_set(ByteReader& sets) {
    const auto type = sets.u16(), count = sets.u16();
    const auto size = sets.u32();
    const auto records = size ? sets.take(*size) : std::nullopt;
    if (!records) return std::nullopt;
    return RecordSet{*type, *count, *records};
}

std::size_t size_of_sets(const LocalNameParts& variant) {
    std::size_t size = 0;
    for (const auto& set : variant.sets) size += set_head_size + set.records.size();
    return size;
}

std::uint32_t check_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

std::optional<RecordSet> LocalName::find(std::uint16_t wanted) const {
    ByteReader rest(sets);
    auto set = next_set(rest);
    while (set && set->type != wanted && wanted != type::any) set = next_set(rest);
    return set;
}

std::vector<std::byte> pack(std::span<const LocalNameParts> variants) {
    std::size_t size = 1;
    for (const LocalNameParts& variant : variants) size += head_size + size_of_sets(variant);
    std::vector<std::byte> out(size);
    ByteWriter writer(out);
    writer.u8(static_cast<std::uint8_t>(variants.size()));
    for (const LocalNameParts& variant : variants) {
        writer.u64(variant.views);
        writer.u32(variant.ttl);
        writer.u32(variant.rule);
        writer.u32(static_cast<std::uint32_t>(size_of_sets(variant)));
        for (const auto& set : variant.sets) {
            writer.u16(set.type);
            writer.u16(set.count);
            writer.u32(static_cast<std::uint32_t>(set.records.size()));
            writer.bytes(set.records);
        }
    }
    return out;
}

std::optional<LocalName> Variants::next() {
    if (left_ == 0) return std::nullopt;
    --left_;
    const auto views = rest_.u64();
    const auto ttl = rest_.u32(), rule = rest_.u32(), size = rest_.u32();
    return LocalName{*views, *ttl, *rule, *rest_.take(*size)};
}

LocalNames::LocalNames(std::size_t count) : slots_(std::bit_ceil(2 * count + 1)) { lines_.reserve(count); }

void LocalNames::add(const NameKey& key, Bytes packed) {
    const Bytes name = key.ending(0);
    const std::size_t size = 1 + name.size() + packed.size();
    std::size_t at = first_slot(key.hash(0));
    while (slots_[at].line != 0) at = next_slot(at);
    slots_[at] = {check_of(key.hash(0)), static_cast<std::uint32_t>(lines_.size() + 1)};
    const std::size_t first = lines_.size();
    lines_.resize(first + (size + sizeof(Line) - 1) / sizeof(Line));
    ByteWriter out(std::as_writable_bytes(std::span(lines_).subspan(first)));
    out.u8(static_cast<std::uint8_t>(name.size()));
    out.bytes(name);
    out.bytes(packed);
}

Variants LocalNames::find(const NameKey& key) const {
    const Bytes name = key.ending(0);
    for (std::size_t at = first_slot(key.hash(0)); slots_[at].line != 0; at = next_slot(at)) {
        if (slots_[at].check != check_of(key.hash(0))) continue;
        ByteReader octets(from(slots_[at].line));
        const Bytes held = *octets.take(*octets.u8());
        if (held.size() == name.size() && std::memcmp(held.data(), name.data(), name.size()) == 0)
            return Variants(octets.rest());
    }
    return {};
}

void LocalNames::fetch(std::span<const std::uint64_t> hashes) const {
    for (const std::uint64_t hash : hashes) __builtin_prefetch(&slots_[first_slot(hash)]);
    for (const std::uint64_t hash : hashes) {
        std::size_t at = first_slot(hash);
        while (slots_[at].line != 0 && slots_[at].check != check_of(hash)) at = next_slot(at);
        if (slots_[at].line == 0) continue;
        __builtin_prefetch(&lines_[slots_[at].line - 1]);
        if (slots_[at].line < lines_.size()) __builtin_prefetch(&lines_[slots_[at].line]);
    }
}

}  // namespace sallyport::dns
