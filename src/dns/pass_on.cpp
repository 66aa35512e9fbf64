#include "dns/pass_on.hpp"

#include "wire/dns/answer.hpp"

#include <array>

namespace sallyport::dns {

namespace {

// Options that belong to one hop: cookies are between two hosts, padding to one message.
bool is_of_one_hop(std::uint16_t code) {
    return code == option::cookie || code == option::tcp_keepalive || code == option::padding;
}

// A name in wire form: the lengths in it are below any letter.
void throw_case(MutableBytes name, Randoms& randoms) {
    std::uint32_t coins = 0;
    unsigned left = 0;
    for (std::byte& octet : name) {
        const std::byte lower = octet | std::byte{0x20};
        if (lower < std::byte{'a'} || lower > std::byte{'z'}) continue;
        if (left == 0) coins = randoms.next(), left = 32;
        octet = (coins & 1) != 0 ? lower & std::byte{0xDF} : lower;
        coins >>= 1;
        --left;
    }
}

}  // namespace

std::size_t copy_options(Bytes options, MutableBytes room) {
    ByteWriter out(room);
    while (const auto one = next_option(options)) {
        if (is_of_one_hop(one->code) || out.size() + 4 + one->value.size() > room.size()) continue;
        out.u16(one->code);
        out.u16(static_cast<std::uint16_t>(one->value.size()));
        out.bytes(one->value);
    }
    return out.size();
}

bool is_plain(const Query& query) {
    constexpr std::uint16_t known = flag::recursion_desired | flag::authentic_data | flag::checking_disabled;
    if ((query.header.flags & ~known) != 0 || query.type == type::any) return false;
    if (!query.edns) return true;
    Bytes options = query.edns->options;
    while (const auto one = next_option(options)) {
        if (!is_of_one_hop(one->code)) return false;
    }
    return true;
}

std::vector<std::byte> pass_on(const Query& query, Randoms& randoms) {
    std::array<std::byte, 512> options;
    const std::size_t options_size = query.edns ? copy_options(query.edns->options, options) : 0;
    std::vector<std::byte> out(header_size + query.question.size() + (query.edns ? opt_size + options_size : 0));
    ByteWriter writer(out);
    writer.u16(0);  // the ID of each try
    writer.u16(query.header.flags);
    writer.u16(1);
    writer.u32(0);
    writer.u16(query.edns ? 1 : 0);
    writer.bytes(query.question);
    if (query.edns) write_opt(writer, udp_payload, 0, query.edns->dnssec_ok, Bytes(options).first(options_size));
    throw_case(MutableBytes(out).subspan(header_size, query.name().size()), randoms);
    return out;
}

}  // namespace sallyport::dns
